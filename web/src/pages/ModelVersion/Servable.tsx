import { call } from "../../api/client";
import type { Schemas } from "../../api/generated";
import { CodeBlock } from "../../components/Copy";
import { DescriptionList } from "../../components/DescriptionList";
import { StatusBadge } from "../../components/Status";
import { Empty } from "../../components/State";
import { number } from "../../core/format";
import { useQuery } from "../../core/query";
import { Link, path } from "../../core/router";

export type Servable = Schemas["ShowServableReply"];
type Tensor = Schemas["ServableManifestTensor"];

export function useServable(name: string, version: string) {
    return useQuery(`servable/${name}/${version}`, () =>
        call("ShowServable", { path: { name, version } }), { invalidateOn: ["servable"] });
}

/** What gateways run of this version, and how far the way there is. */
export function Form({ servable, parity }: { servable: Servable | undefined; parity: number | undefined }) {
    if (servable === undefined) return <Empty title="Not converted yet" />;
    const { manifest } = servable;
    return (
        <div className="stack tight">
            <DescriptionList items={[
                ["State", <StatusBadge key="state" state={servable.state} />],
                ["Runs in", manifest && (manifest.runtime === "onnx" ? "ONNX Runtime" : "a Python worker")],
                ["Why", manifest?.reason],
                ["Parity", parity === undefined ? undefined : (
                    <span key="parity">{number(parity)}{manifest?.parity_rows !== undefined && <span className="muted"> over {manifest.parity_rows} rows</span>}</span>
                )],
                ["Compared on", manifest?.compared && <Covered key="covered" compared={manifest.compared} />],
                ["Refuses", manifest?.refuses && <Refusals key="refuses" refuses={manifest.refuses} />],
                ["Takes", manifest && <Tensors key="in" tensors={manifest.inputs} />],
                ["Gives", manifest && <Tensors key="out" tensors={manifest.outputs} />],
                ["Job", servable.job && <Link key="job" to={path("jobs", servable.job)} className="mono small">{servable.job.slice(0, 8)}</Link>],
            ]} />
            {servable.reason && <div className="error-box" role="alert">{servable.reason.slice(0, 1000)}</div>}
            {servable.lastLines && <CodeBlock text={servable.lastLines.slice(-3000)} />}
        </div>
    );
}

function Covered({ compared }: { compared: Schemas["ServableManifestCompared"] }) {
    return (
        <span>{compared.covered.join("; ")} <span className="muted mono small">{compared.digest.slice(0, 12)}</span></span>
    );
}

/** What the original refuses, and so does what is served. */
function Refusals({ refuses }: { refuses: Schemas["ServableManifestRefused"][] }) {
    return (
        <ul>
            {refuses.slice(0, 6).map(({ input, values, message }) => (
                <li key={`${input} ${values}`} className="cut">{values} in <bdi>{input.slice(0, 60)}</bdi>: <span className="muted">{message.slice(0, 120)}</span></li>
            ))}
            {refuses.length > 6 && <li className="muted">and {refuses.length - 6} more</li>}
        </ul>
    );
}

function Tensors({ tensors }: { tensors: Tensor[] }) {
    return (
        <ul>
            {tensors.slice(0, 12).map(({ name, datatype, shape }) => (
                <li key={name} className="cut"><bdi>{name.slice(0, 60)}</bdi> <span className="muted mono small">{datatype} [{shape.map((size) => (size < 0 ? "any" : size)).join(", ")}]</span></li>
            ))}
            {tensors.length > 12 && <li className="muted">and {tensors.length - 12} more</li>}
        </ul>
    );
}
