import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { CopyButton } from "../../components/Copy";
import { Page } from "../../components/Page";
import { Loaded } from "../../components/State";
import { RelativeTime } from "../../components/Time";
import { fullTime, microseconds } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link } from "../../core/router";
import { ReplyStatus, deploymentOf } from "../Predictions/Predictions";
import { Body } from "./Body";
import { PredictionLineage, Record, RunCard, StepCard } from "./PredictionLineage";
import { Replay } from "./Replay";
import { refusal } from "./json";

type Reply = Schemas["ShowPredictionReply"];

/** One prediction: what was asked and answered, what it came from, and the same asked again. */
export function PredictionPage({ id }: { id: string }) {
    // What was answered stays; a rollout's verdict and a version's aliases may come later.
    const query = useQuery(`prediction/${id}`, () => call("ShowPrediction", { path: { prediction: id } }), { invalidateOn: ["rollout", "revision", "version"] });
    if (query.data === undefined && query.error !== null) {
        return (
            <Page title="Prediction" crumbs={crumbs}>
                <Loaded query={query}>{() => null}</Loaded>
                <p className="muted">A prediction is here a second or two after it was given, and as long as the server keeps it.</p>
            </Page>
        );
    }
    return <Loaded query={query} lines={8}>{(reply) => <Known reply={reply} />}</Loaded>;
}

const crumbs = [{ label: "Predictions", to: "/predictions" }];

function Known({ reply }: { reply: Reply }) {
    const { prediction: item } = reply;
    return (
        <Page title={item.id} plainTitle={`Prediction ${item.id}`} crumbs={crumbs} badge={<ReplyStatus status={item.status} />}
            note={(
                <>
                    <span><RelativeTime at={item.at} />, {fullTime(Date.parse(item.at))}</span>
                    <span>took {microseconds(item.milliseconds * 1000)}</span>
                    <span>by <Link to={deploymentOf(item)}><bdi>{item.deployment}</bdi></Link> in {item.environment}</span>
                    <CopyButton text={item.id} label="Copy id" />
                </>
            )}>
            <div className="stack">
                {item.status >= 400 && <Refused reply={reply} />}
                <PredictionLineage reply={reply} />
                <div className="grid-2">
                    <Body title="Request" body={reply.request} />
                    <Body title="Answer" body={reply.response} />
                </div>
                <Replay prediction={item} />
                <StepCard reply={reply} />
                <div className="grid-2">
                    <Record reply={reply} />
                    <RunCard reply={reply} />
                </div>
            </div>
        </Page>
    );
}

function Refused({ reply }: { reply: Reply }) {
    const said = refusal(reply.response.text);
    return (
        <div className="error-box" role="alert">
            <div><bdi>{(said?.message ?? reply.response.text ?? "").slice(0, 1000) || `It was answered with ${reply.prediction.status}.`}</bdi></div>
            <code>{said?.code ?? `http_${reply.prediction.status}`}</code>
        </div>
    );
}
