/** The part of the MLflow protocol that the pages use. Ids are strings, times milliseconds. */
import { send, sendJSON, withQuery } from "./client";

export interface KeyValue {
    key: string;
    value: string;
}

export interface Metric {
    key: string;
    value: number | string;
    timestamp: number;
    step?: number;
    run_id?: string;
}

export interface Experiment {
    experiment_id: string;
    name: string;
    lifecycle_stage: string;
    creation_time?: number;
    last_update_time?: number;
    tags?: KeyValue[];
}

export type RunStatus = "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";

export interface RunInfo {
    run_id: string;
    run_name?: string;
    experiment_id: string;
    user_id?: string;
    status: RunStatus;
    start_time?: number;
    end_time?: number;
    artifact_uri?: string;
    lifecycle_stage: string;
}

export interface DatasetInput {
    tags?: KeyValue[];
    dataset: { name: string; digest: string; source_type?: string; source?: string; schema?: string; profile?: string };
}

export interface Run {
    info: RunInfo;
    data: { metrics?: Metric[]; params?: KeyValue[]; tags?: KeyValue[] };
    inputs?: { dataset_inputs?: DatasetInput[]; model_inputs?: { model_id: string }[] };
    outputs?: { model_outputs?: { model_id: string; step?: number }[] };
}

export interface FileInfo {
    path: string;
    is_dir: boolean;
    file_size?: number;
}

export interface ModelVersion {
    name: string;
    version: string;
    creation_timestamp: number;
    last_updated_timestamp: number;
    current_stage?: string;
    description?: string;
    source?: string;
    run_id?: string;
    status?: string;
    status_message?: string;
    tags?: KeyValue[];
    aliases?: string[];
    model_id?: string;
}

export interface RegisteredModel {
    name: string;
    creation_timestamp: number;
    last_updated_timestamp: number;
    description?: string;
    latest_versions?: ModelVersion[];
    tags?: KeyValue[];
    aliases?: { alias: string; version: string }[];
}

const API = "/ajax-api/2.0/mlflow";

export async function searchExperiments(filter = "", pageToken?: string, deleted = false) {
    return sendJSON<{ experiments?: Experiment[]; next_page_token?: string }>(
        "POST", `${API}/experiments/search`,
        { max_results: 500, filter, page_token: pageToken, view_type: deleted ? "DELETED_ONLY" : "ACTIVE_ONLY" });
}

export async function getExperiment(id: string) {
    const reply = await sendJSON<{ experiment: Experiment }>(
        "GET", withQuery(`${API}/experiments/get`, { experiment_id: id }));
    return reply.experiment;
}

export async function deleteExperiment(id: string) {
    return sendJSON("POST", `${API}/experiments/delete`, { experiment_id: id });
}

export async function restoreExperiment(id: string) {
    return sendJSON("POST", `${API}/experiments/restore`, { experiment_id: id });
}

export async function setExperimentTag(id: string, key: string, value: string) {
    return sendJSON("POST", `${API}/experiments/set-experiment-tag`, { experiment_id: id, key, value });
}

export async function deleteExperimentTag(id: string, key: string) {
    return sendJSON("POST", `${API}/experiments/delete-experiment-tag`, { experiment_id: id, key });
}

export interface RunSearch {
    experiments: string[];
    filter: string;
    order: string[];
    limit: number;
    pageToken?: string | undefined;
    deleted?: boolean;
}

export async function searchRuns(search: RunSearch, signal?: AbortSignal) {
    return sendJSON<{ runs?: Run[]; next_page_token?: string }>(
        "POST", `${API}/runs/search`,
        searchBody(search), signal);
}

export async function getRun(id: string) {
    const reply = await sendJSON<{ run: Run }>(
        "GET", withQuery(`${API}/runs/get`, { run_id: id }));
    return reply.run;
}

/** Runs by id, in this order; many at once where they are of one experiment. `null` where there is none. */
export async function getRuns(ids: string[]): Promise<(Run | null)[]> {
    const found = new Map<string, Run>();
    let waiting = [...new Set(ids)];
    while (waiting.length > 0) {
        const [first = "", ...others] = waiting;
        const run = await getRun(first).catch(() => null);
        const same = new Set<string>();
        const plain = others.filter((id) => /^\w+$/.test(id));
        if (run !== null && plain.length > 0) {
            const reply = await searchRuns({
                experiments: [run.info.experiment_id], order: [], limit: plain.length,
                filter: `attributes.run_id IN (${plain.map((id) => `'${id}'`).join(", ")})`,
            });
            for (const each of reply.runs ?? []) {
                found.set(each.info.run_id, each);
                same.add(each.info.run_id);
            }
        }
        if (run !== null) found.set(first, run);
        waiting = others.filter((id) => !same.has(id));
    }
    return ids.map((id) => found.get(id) ?? null);
}

export async function renameRun(id: string, name: string) {
    return sendJSON("POST", `${API}/runs/update`, { run_id: id, run_name: name });
}

export async function deleteRun(id: string) {
    return sendJSON("POST", `${API}/runs/delete`, { run_id: id });
}

export async function restoreRun(id: string) {
    return sendJSON("POST", `${API}/runs/restore`, { run_id: id });
}

export async function setRunTag(id: string, key: string, value: string) {
    return sendJSON("POST", `${API}/runs/set-tag`, { run_id: id, key, value });
}

/** The web interface's own calls, beside the protocol: same names, same grammar. */
const OWN = "/ajax-api/aloft";

export type CurveAxis = "step" | "time";

export interface CurvePoints {
    run_id: string;
    start_time: number;
    point_count: number;
    steps: number[];
    times: number[];
    values: (number | string)[];
    smoothed?: (number | string)[];
}

/** One metric of many runs at once, thinned by the server to a total that a chart can show. */
export async function readCurves(
    runs: string[], key: string, axis: CurveAxis, range?: [number, number], smoothing?: number,
): Promise<CurvePoints[]> {
    const reply = await sendJSON<{ curves?: CurvePoints[] }>(
        "POST", `${OWN}/curves`,
        { run_ids: runs, metric_key: key, axis, smoothing, start_step: range?.[0], end_step: range?.[1] });
    return reply.curves ?? [];
}

export interface RunKeys {
    metrics?: string[];
    params?: string[];
    tags?: string[];
    has_more: boolean;
}

/** The names of all that the runs of these experiments logged. */
export async function readRunKeys(experiments: string[]): Promise<RunKeys> {
    return sendJSON<RunKeys>("POST", `${OWN}/runs/keys`, { experiment_ids: experiments });
}

function searchBody(search: RunSearch) {
    return {
        experiment_ids: search.experiments, filter: search.filter, order_by: search.order,
        max_results: search.limit, page_token: search.pageToken,
        run_view_type: search.deleted ? "DELETED_ONLY" : "ACTIVE_ONLY",
    };
}

type RunFilter = Pick<RunSearch, "experiments" | "filter" | "deleted">;

/** How many runs a search finds in all. */
export async function countRuns(search: RunFilter): Promise<number> {
    const reply = await sendJSON<{ count: number }>("POST", `${OWN}/runs/count`, searchBody({ ...search, order: [], limit: 1 }));
    return reply.count;
}

export interface RunGroup {
    /** Missing for the runs without one. */
    value?: string;
    count: number;
    means?: { key: string; value: number | string }[];
}

/** All runs that match, by `status`, `params.KEY` or `tags.KEY`; with the means of `metrics`. */
export async function groupRuns(search: RunFilter, by: string, metrics: string[]) {
    return sendJSON<{ groups?: RunGroup[]; has_more: boolean }>(
        "POST", `${OWN}/runs/groups`,
        { ...searchBody({ ...search, order: [], limit: 500 }), group_by: by, metrics });
}

/** Runs of one group. */
export async function searchGroup(search: RunSearch, by: string, value: string | undefined) {
    return sendJSON<{ runs?: Run[]; next_page_token?: string }>(
        "POST", `${OWN}/runs/search`, { ...searchBody(search), group_by: by, group_value: value });
}

/** Runs that say that this one is their parent, the oldest first. */
export async function childrenOf(run: RunInfo) {
    return searchRuns({
        experiments: [run.experiment_id], filter: `tags.\`mlflow.parentRunId\` = ${quote(run.run_id)}`,
        order: ["attributes.start_time ASC"], limit: 200,
    });
}

/** The run that a logged model came from. */
export async function sourceOfLoggedModel(id: string): Promise<string | undefined> {
    const reply = await sendJSON<{ model?: { info?: { source_run_id?: string } } }>(
        "GET", `${API}/logged-models/${encodeURIComponent(id)}`);
    return reply.model?.info?.source_run_id;
}

export async function listArtifacts(runID: string, folder: string) {
    const reply = await sendJSON<{ files?: FileInfo[] }>(
        "GET", withQuery(`${API}/artifacts/list`, { run_id: runID, path: folder || undefined }));
    return reply.files ?? [];
}

export function artifactAddress(runID: string, path: string): string {
    return withQuery("/get-artifact", { run_uuid: runID, path });
}

/** A logged page with its scripts, for a frame. */
export function framedAddress(runID: string, path: string): string {
    return withQuery(`${OWN}/artifacts/frame`, { run_uuid: runID, path });
}

/** At most `limit` bytes of an artifact; says whether there is more. */
export async function readArtifact(runID: string, path: string, limit: number) {
    const response = await send(artifactAddress(runID, path));
    const reader = response.body?.getReader();
    const parts: BlobPart[] = [];
    let size = 0;
    // One byte more than shown tells whether there is more.
    while (reader !== undefined && size <= limit) {
        const { done, value } = await reader.read();
        if (done) return { blob: new Blob(parts), isCut: false };
        parts.push(value);
        size += value.length;
    }
    await reader?.cancel();
    return { blob: new Blob(parts).slice(0, limit), isCut: true };
}

export async function searchModels(filter: string, pageToken?: string) {
    return sendJSON<{ registered_models?: RegisteredModel[]; next_page_token?: string }>(
        "GET",
        withQuery(`${API}/registered-models/search`, {
            filter: filter || undefined, max_results: 200, page_token: pageToken,
        }));
}

export async function getModel(name: string) {
    const reply = await sendJSON<{ registered_model: RegisteredModel }>(
        "GET", withQuery(`${API}/registered-models/get`, { name }));
    return reply.registered_model;
}

export async function searchVersions(filter: string, limit = 200) {
    const reply = await sendJSON<{ model_versions?: ModelVersion[] }>(
        "GET",
        withQuery(`${API}/model-versions/search`, {
            filter, max_results: limit, order_by: ["version_number DESC"],
        }));
    return reply.model_versions ?? [];
}

export async function getVersion(name: string, version: string) {
    const reply = await sendJSON<{ model_version: ModelVersion }>(
        "GET", withQuery(`${API}/model-versions/get`, { name, version }));
    return reply.model_version;
}

export async function setAlias(name: string, alias: string, version: string) {
    return sendJSON("POST", `${API}/registered-models/alias`, { name, alias, version });
}

export async function deleteAlias(name: string, alias: string) {
    return sendJSON("DELETE", `${API}/registered-models/alias`, { name, alias });
}

export async function describeModel(name: string, description: string) {
    return sendJSON("PATCH", `${API}/registered-models/update`, { name, description });
}

export async function describeVersion(name: string, version: string, description: string) {
    return sendJSON("PATCH", `${API}/model-versions/update`, { name, version, description });
}

/** A string for a filter, in the quotes that it does not hold itself. */
export function quote(text: string): string {
    return text.includes("'") ? `"${text.replace(/"/g, "")}"` : `'${text}'`;
}

/** A key for a filter or an order, in back-ticks where it needs them. */
export function quoteKey(key: string): string {
    return /^[A-Za-z_][\w.]*$/.test(key) ? key : `\`${key.replace(/`/g, "")}\``;
}
