import { useState } from "react";
import { call } from "../../api/client";
import { quote, searchVersions } from "../../api/mlflow";
import type { Schemas } from "../../api/generated";
import { Card } from "../../components/Card";
import { DescriptionList } from "../../components/DescriptionList";
import { ErrorBox } from "../../components/State";
import { count, number } from "../../core/format";
import { useMutation, useQuery } from "../../core/query";
import { useSearchParam } from "../../core/router";
import { ReplyStatus } from "../Predictions/Predictions";
import { Body } from "./Body";

type Reply = Schemas["ReplayPredictionReply"];

/** Asks the same again, of the version that answered or of another one. */
export function Replay({ prediction }: { prediction: Schemas["PredictionItem"] }) {
    const { id, model, version } = prediction;
    const [chosen, setChosen] = useSearchParam("version", version);
    const [reply, setReply] = useState<Reply | null>(null);
    const versions = useQuery(`versions/${model}`, () => searchVersions(`name = ${quote(model)}`));
    const known = (versions.data ?? []).map((each) => each.version);
    const numbers = [...new Set([version, chosen, ...known])].sort((a, b) => Number(b) - Number(a));
    const ask = useMutation(async () => {
        setReply(null);
        setReply(await call("ReplayPrediction", { path: { prediction: id }, body: { version: Number(chosen) } }));
    });
    return (
        <>
            <Card title="Ask again" side={<span className="small">it gets no traffic, and is neither logged nor counted</span>}>
                <form className="row" onSubmit={(event) => { event.preventDefault(); void ask.run(); }}>
                    <select className="select" aria-label="Version to ask" value={chosen} onChange={(event) => setChosen(event.target.value)}>
                        {numbers.map((each) => <option key={each} value={each}>{model.slice(0, 60)} v{each}{each === version ? ", which answered" : ""}</option>)}
                    </select>
                    <button type="submit" className="button primary" disabled={ask.busy}>{ask.busy ? "Asking…" : "Replay"}</button>
                </form>
                {ask.error && <div style={{ marginTop: 12 }}><ErrorBox error={ask.error} /></div>}
                {reply && <div style={{ marginTop: 14 }} role="status"><Difference reply={reply} /></div>}
            </Card>
            {reply && (
                <div className="grid-2">
                    <Body title={`Then, v${reply.versionBefore}`} body={reply.before} side={<ReplyStatus status={reply.statusBefore} />} />
                    <Body title={`Now, v${reply.versionAfter}`} body={reply.after} side={<ReplyStatus status={reply.statusAfter} />} />
                </div>
            )}
        </>
    );
}

function Difference({ reply }: { reply: Reply }) {
    const { largest } = reply;
    if (reply.notCompared !== undefined) return <p><strong>Not compared:</strong> {reply.notCompared}.</p>;
    if (reply.isEqual) return <p><strong>No difference</strong> in {count(reply.compared)} values.</p>;
    if (!largest) return <p><strong>Answered differently:</strong> {reply.statusBefore} then, {reply.statusAfter} now.</p>;
    return (
        <div className="stack tight">
            <p><strong>{count(reply.differing)} of {count(reply.compared)} values differ.</strong></p>
            <DescriptionList items={[
                ["Largest difference", largest.size === undefined ? "not of numbers" : `${number(largest.size)} (against the larger of 1 and the value then)`],
                ["Where", <span key="where" className="mono small">{largest.place.slice(0, 200)}</span>],
                ["Then", <span key="then" className="mono small">{largest.before.slice(0, 200)}</span>],
                ["Now", <span key="now" className="mono small">{largest.after.slice(0, 200)}</span>],
            ]} />
        </div>
    );
}
