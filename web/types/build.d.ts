declare module "*.css";

/** Types of style properties: only their names matter to us. */
declare module "csstype" {
    export type Properties<_Length = string | number, _Time = string> = {
        [name: string]: string | number | undefined;
    };
}
