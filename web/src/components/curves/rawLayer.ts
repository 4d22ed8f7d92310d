/** The values before smoothing as a picture of their own, drawn again only when they or the axes move. */
import { drawRaw, type Backdrop, type Scene } from "./draw";

export class RawLayer implements Backdrop {
    private canvas: HTMLCanvasElement | null = null;
    private raw: (number[] | undefined)[] = [];
    private place = "";

    draw(context: CanvasRenderingContext2D, size: { width: number; height: number }, scene: Scene): void {
        const { lines, view, frame, logY } = scene;
        // Few are as quick as a copy.
        if (lines.length < 20 || lines.every(({ raw }) => raw === undefined)) return drawRaw(context, scene);
        const { width, height } = context.canvas;
        const place = JSON.stringify([view, frame, logY, width, height]);
        const isKept = place === this.place && this.raw.length === lines.length && lines.every(({ raw }, index) => raw === this.raw[index]);
        if (!isKept) {
            const canvas = this.canvas ??= document.createElement("canvas");
            canvas.width = width;
            canvas.height = height;
            const own = canvas.getContext("2d");
            if (own === null) return drawRaw(context, scene);
            own.setTransform(context.getTransform());
            drawRaw(own, scene);
            this.raw = lines.map(({ raw }) => raw);
            this.place = place;
        }
        if (this.canvas !== null) context.drawImage(this.canvas, 0, 0, size.width, size.height);
    }
}
