import { call } from "../api/client";
import type { Schemas } from "../api/generated";
import { path } from "../core/router";
import { useQuery, type Query } from "../core/query";

/** Every deployment. Numbers of a rollout grow without an event, so it is looked at while it goes on. */
export function useDeployments(): Query<Schemas["ListDeploymentsReply"]> {
    return useQuery("deployments", () => call("ListDeployments", {}), {
        invalidateOn: ["deployment", "revision", "rollout"],
        refetchInterval: (known) => (known?.deployments.some(({ underWay }) => underWay) ? 5000 : undefined),
    });
}

export function deploymentPath(item: { name: string; environment: string }): string {
    return `${path("deployments", item.name)}?environment=${encodeURIComponent(item.environment)}`;
}
