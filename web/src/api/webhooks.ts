/** Webhooks of the MLflow protocol. */
import { sendJSON, withQuery } from "./client";

export interface WebhookEvent {
    entity: string;
    action: string;
}

export interface Webhook {
    webhook_id: string;
    name: string;
    url: string;
    description?: string;
    events?: WebhookEvent[];
    status?: "ACTIVE" | "DISABLED";
    creation_timestamp?: number;
    last_updated_timestamp?: number;
}

export interface WebhookDraft {
    name: string;
    url: string;
    events: WebhookEvent[];
    secret?: string;
    description?: string;
}

interface TestReply {
    result?: { success?: boolean; response_status?: number; response_body?: string; error_message?: string };
}

const API = "/ajax-api/2.0/mlflow/webhooks";

export async function listWebhooks(): Promise<Webhook[]> {
    const all: Webhook[] = [];
    let token: string | undefined;
    do {
        const reply = await sendJSON<{ webhooks?: Webhook[]; next_page_token?: string }>(
            "GET", withQuery(API, { max_results: 100, page_token: token }));
        all.push(...(reply.webhooks ?? []));
        token = reply.next_page_token || undefined;
    } while (token !== undefined && all.length < 1000);
    return all;
}

export async function createWebhook(draft: WebhookDraft) {
    return sendJSON("POST", API, draft);
}

export async function setWebhookStatus(id: string, status: "ACTIVE" | "DISABLED") {
    return sendJSON("PATCH", `${API}/${encodeURIComponent(id)}`, { status });
}

export async function deleteWebhook(id: string) {
    return sendJSON("DELETE", `${API}/${encodeURIComponent(id)}`);
}

export async function testWebhook(id: string) {
    return (await sendJSON<TestReply>("POST", `${API}/${encodeURIComponent(id)}/test`, {})).result ?? {};
}
