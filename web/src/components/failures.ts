/** Why jobs failed, in their own words, and which of them failed alike. */
import type { Schemas } from "../api/generated";

type Job = Schemas["JobView"];

/** The telling line of the log, else what the server knows. */
export function reasonOf(job: Job): string {
    return job.failure?.lastLine ?? job.failure?.message ?? "";
}

/** The same for failures that differ only in numbers and addresses. */
export function kindOfFailure(job: Job): string {
    return `${job.failure?.code ?? ""} ${reasonOf(job).replace(/0x[0-9a-f]+|\d+/gi, "0")}`;
}
