import { checked, type Checked } from "./fields";
import type { Manifest } from "./TryIt";

export interface Tensor {
    name: string;
    datatype: string;
    shape: number[];
}

interface FilledTensor extends Tensor {
    data: unknown[];
}

export interface FieldOf {
    name: string;
    datatype: string;
}

export interface Signature {
    /** One each; empty where the model takes something else than a row of values. */
    fields: FieldOf[];
    /** What the fields hold first: the first row of the logged example. */
    values: string[];
    /** The request of the Open Inference Protocol, as text, for values that were checked. */
    body: (values: string[]) => string;
}

/** What is wrong with each field; `undefined` where it is right. */
export function faultsOf(signature: Signature, values: string[]): (string | undefined)[] {
    return signature.fields.map(({ datatype }, index) => checked(values[index] ?? "", datatype).fault);
}

/** How a row is asked for: one tensor with all columns, or a tensor a column. */
export function signatureOf(manifest: Manifest): Signature {
    const { inputs, columns } = manifest;
    const example = exampleInputs(manifest);
    const only = inputs[0];
    const width = only?.shape[only.shape.length - 1] ?? 0;
    if (inputs.length === 1 && only !== undefined && only.shape.length === 2 && width > 0) {
        const names = columns?.length === width ? columns : Array.from({ length: width }, (_, index) => `x${index}`);
        const first = (example.get(only.name)?.data ?? []).flat(2).slice(0, width);
        return {
            fields: names.map((name) => ({ name, datatype: only.datatype })),
            values: names.map((_, index) => shown(first[index], only.datatype)),
            body: (values) => request([tensorText(only.name, [1, width], only.datatype, names.map((_, index) => values[index] ?? ""))]),
        };
    }
    const isColumns = inputs.every(({ shape }) => shape.slice(1).every((size) => size === 1));
    if (isColumns && inputs.length > 0) {
        return {
            fields: inputs.map(({ name, datatype }) => ({ name, datatype })),
            values: inputs.map(({ name, datatype }) => shown((example.get(name)?.data ?? []).flat(2)[0], datatype)),
            body: (values) => request(inputs.map((tensor, index) =>
                tensorText(tensor.name, tensor.shape.map(() => 1), tensor.datatype, [values[index] ?? ""]))),
        };
    }
    return { fields: [], values: [], body: () => JSON.stringify(manifest.example ?? { inputs: [] }, null, 2) };
}

/** Numbers stand as they were typed: those beyond 2^53 are others once they were read. */
function tensorText(name: string, shape: number[], datatype: string, values: string[]): string {
    const data = values.map((value) => (checked(value, datatype) as Checked & { json?: string }).json ?? JSON.stringify(value));
    return `    {\n      "name": ${JSON.stringify(name)}, "shape": [${shape.join(", ")}], "datatype": ${JSON.stringify(datatype)},\n`
        + `      "data": [${data.join(", ")}]\n    }`;
}

function request(tensors: string[]): string {
    return `{\n  "inputs": [\n${tensors.join(",\n")}\n  ]\n}`;
}

function shown(value: unknown, datatype: string): string {
    if (value === null) return "null";
    if (value !== undefined) return String(value);
    return datatype === "BYTES" ? "" : datatype === "BOOL" ? "false" : "0";
}

function exampleInputs(manifest: Manifest): Map<string, FilledTensor> {
    const example = manifest.example as { inputs?: FilledTensor[] } | undefined;
    return new Map((example?.inputs ?? []).map((tensor) => [tensor.name, tensor]));
}
