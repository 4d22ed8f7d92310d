import type { ReactNode } from "react";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { CodeBlock, CopyButton } from "../../components/Copy";
import { bytes } from "../../core/format";
import { indented } from "./json";

/** More characters than this are not drawn; copying gives them all. */
const SHOWN = 40_000;

/** What was asked or answered: JSON indented, other text as it is, bytes to be copied. */
export function Body({ title, body, side }: { title: string; body: Schemas["PredictionBody"]; side?: ReactNode }) {
    const text = body.text === undefined ? undefined : indented(body.text) ?? body.text;
    return (
        <Card title={title} side={<span className="small">{side} {bytes(body.sizeBytes)}</span>}>
            <div className="stack tight">
                {body.isCut && <p className="small muted">Only its begin was logged; the whole had {bytes(body.sizeBytes)}.</p>}
                {body.sizeBytes === 0 && <p className="muted">It was empty.</p>}
                {text === undefined && body.base64 !== undefined && (
                    <p className="soft">It is no text. <CopyButton text={body.base64} label="Copy as base64" /></p>
                )}
                {text !== undefined && text !== "" && (text.length <= SHOWN ? <CodeBlock text={text} /> : (
                    <>
                        <p className="small muted">Its first part. <CopyButton text={text} label="Copy all" /></p>
                        <CodeBlock text={text.slice(0, SHOWN)} copyable={false} />
                    </>
                ))}
            </div>
        </Card>
    );
}
