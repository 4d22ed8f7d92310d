import type { ReactNode } from "react";
import { NotFound } from "../pages/NotFound/NotFound";
import { lazy } from "./lazy";

/** Each is loaded when it is first opened, so that the first one comes quickly. */
const pages = {
    Compare: lazy(() => import("../pages/Compare/Compare").then((page) => page.Compare)),
    Deployment: lazy(() => import("../pages/Deployment/Deployment").then((page) => page.DeploymentPage)),
    Deployments: lazy(() => import("../pages/Deployments/Deployments").then((page) => page.Deployments)),
    Experiments: lazy(() => import("../pages/Experiments/Experiments").then((page) => page.Experiments)),
    Home: lazy(() => import("../pages/Home/Home").then((page) => page.Home)),
    Job: lazy(() => import("../pages/Job/Job").then((page) => page.JobPage)),
    Jobs: lazy(() => import("../pages/Jobs/Jobs").then((page) => page.Jobs)),
    LoggedModel: lazy(() => import("../pages/LoggedModel/LoggedModel").then((page) => page.LoggedModelPage)),
    Model: lazy(() => import("../pages/Model/Model").then((page) => page.Model)),
    Models: lazy(() => import("../pages/Models/Models").then((page) => page.Models)),
    ModelVersion: lazy(() => import("../pages/ModelVersion/ModelVersion").then((page) => page.ModelVersionPage)),
    Prediction: lazy(() => import("../pages/Prediction/Prediction").then((page) => page.PredictionPage)),
    Predictions: lazy(() => import("../pages/Predictions/Predictions").then((page) => page.Predictions)),
    Run: lazy(() => import("../pages/Run/Run").then((page) => page.RunPage)),
    Runs: lazy(() => import("../pages/Runs/Runs").then((page) => page.Runs)),
    Settings: lazy(() => import("../pages/Settings/Settings").then((page) => page.Settings)),
    Sweep: lazy(() => import("../pages/Sweep/Sweep").then((page) => page.SweepPage)),
    Sweeps: lazy(() => import("../pages/Sweeps/Sweeps").then((page) => page.Sweeps)),
};

/** Which page shows an address. A new page adds its line, and its first part to `WebRoutes`. */
export function pageFor(parts: string[]): ReactNode {
    const [area, first, second, third] = parts;
    switch (area) {
        case undefined: return <pages.Home />;
        case "experiments":
            if (first === undefined) return <pages.Experiments />;
            if (second === "models" && third !== undefined) return <pages.LoggedModel key={third} id={third} experiment={first} />;
            return second === undefined ? <pages.Runs key={first} experiment={first} /> : <NotFound />;
        case "runs": return first === undefined || second !== undefined ? <NotFound /> : <pages.Run key={first} id={first} />;
        case "compare": return <pages.Compare />;
        case "models":
            if (first === undefined) return <pages.Models />;
            if (second === "versions" && third !== undefined) {
                return <pages.ModelVersion key={`${first}/${third}`} name={first} version={third} />;
            }
            return second === undefined ? <pages.Model key={first} name={first} /> : <NotFound />;
        case "jobs": return first === undefined ? <pages.Jobs /> : <pages.Job key={first} id={first} />;
        case "sweeps": return first === undefined ? <pages.Sweeps /> : <pages.Sweep key={first} id={first} />;
        case "deployments":
            return first === undefined ? <pages.Deployments /> : <pages.Deployment key={first} name={first} />;
        case "predictions":
            return first === undefined ? <pages.Predictions /> : <pages.Prediction key={first} id={first} />;
        case "settings": return <pages.Settings />;
        default: return <NotFound />;
    }
}

export interface NavItem {
    label: string;
    to: string;
    area: string;
    /** Pressed after `g`. */
    key: string;
    icon: string;
}

/** Icons are paths in a box of 16. */
export const navigation: { title: string; items: NavItem[] }[] = [
    {
        title: "",
        items: [
            { label: "Home", to: "/", area: "", key: "h", icon: "M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z" },
        ],
    },
    {
        title: "Develop",
        items: [
            { label: "Experiments", to: "/experiments", area: "experiments", key: "e", icon: "M6 2h4M7 2v4l-4 7a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1L9 6V2M5 10h6" },
            { label: "Models", to: "/models", area: "models", key: "m", icon: "M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6" },
        ],
    },
    {
        title: "Run",
        items: [
            { label: "Jobs", to: "/jobs", area: "jobs", key: "j", icon: "M2.5 4h11M2.5 8h11M2.5 12h7M12 10.5v4l3-2z" },
            { label: "Sweeps", to: "/sweeps", area: "sweeps", key: "w", icon: "M2 14V2M2 14h12M5 10.5l2.5-3 2.5 1.5L14 4" },
        ],
    },
    {
        title: "Operate",
        items: [
            { label: "Deployments", to: "/deployments", area: "deployments", key: "d", icon: "M2 13 14 2 10 14l-2.5-5z" },
            { label: "Predictions", to: "/predictions", area: "predictions", key: "p", icon: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14M5 7.2l1.5 1.5L9.2 5.6" },
        ],
    },
    {
        title: "Administer",
        items: [
            { label: "Settings", to: "/settings", area: "settings", key: "s", icon: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M3.4 12.6l1.4-1.4M11.2 4.8l1.4-1.4" },
        ],
    },
];
