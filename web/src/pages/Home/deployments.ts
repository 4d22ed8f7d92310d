import { call } from "../../api/client";
import { useQuery } from "../../core/query";
import { path } from "../../core/router";

export function useDeployments() {
    return useQuery("deployments", () => call("ListDeployments", {}), { on: ["deployment", "revision", "rollout"], every: 10_000 });
}

export function deploymentPath(item: { name: string; environment: string }): string {
    return `${path("deployments", item.name)}?environment=${encodeURIComponent(item.environment)}`;
}
