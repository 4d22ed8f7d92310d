import { serverAddress } from "../../api/base";
import { searchExperiments, searchModels, searchRuns, type Run } from "../../api/mlflow";
import { Card } from "../../components/Card";
import { CodeBlock } from "../../components/Copy";
import { Page } from "../../components/Page";
import { RunDot } from "../../components/runState";
import { Empty, Loaded, Skeleton } from "../../components/State";
import { RelativeTime, Elapsed } from "../../components/Time";
import { useDeployments } from "../../components/deployments";
import { areSettled, useQuery } from "../../core/query";
import { Link, path } from "../../core/router";
import { runName } from "../Runs/rows";
import { Attention, useTroubles } from "./Attention";
import { Live, Working, useLiveJobs } from "./Platform";

interface Overview {
    recent: Run[];
    running: Run[];
    experiments: Map<string, string>;
    isEmpty: boolean;
}

async function load(): Promise<Overview> {
    const [{ experiments = [] }, { registered_models: models = [] }] = await Promise.all([
        searchExperiments(), searchModels(""),
    ]);
    const ids = experiments.map(({ experiment_id }) => experiment_id);
    const order = ["attributes.start_time DESC"];
    const [recent, running] = await Promise.all([
        searchRuns({ experiments: ids, filter: "", order, limit: 8 }),
        searchRuns({ experiments: ids, filter: "attributes.status = 'RUNNING'", order, limit: 8 }),
    ]);
    return {
        recent: recent.runs ?? [], running: running.runs ?? [],
        experiments: new Map(experiments.map(({ experiment_id, name }) => [experiment_id, name])),
        isEmpty: (recent.runs ?? []).length === 0 && models.length === 0,
    };
}

/** What needs a person, what is live, what runs. */
export function Home() {
    const query = useQuery("home", load, { invalidateOn: ["run", "job", "version", "deployment"], throttle: 5000 });
    const { jobs, bad } = useTroubles();
    const isReady = areSettled(jobs, bad, useDeployments(), useLiveJobs());
    return (
        <Page title="Home">
            <Loaded query={query} lines={8}>
                {/* Shown at once: what comes later would push the rest away. */}
                {(overview) => (overview.isEmpty ? <Welcome /> : !isReady ? <Skeleton lines={8} /> : (
                    <div className="stack">
                        <Attention />
                        <div className="grid-2">
                            <div className="stack">
                                <Live />
                                {overview.running.length > 0 && (
                                    <Card title="Running now" flush side={`${overview.running.length}`}>
                                        <RunList runs={overview.running} experiments={overview.experiments} />
                                    </Card>
                                )}
                                <Working />
                            </div>
                            <Card title="Latest runs" flush side={<Link to="/experiments">All experiments</Link>}>
                                {overview.recent.length === 0
                                    ? <Empty title="No runs yet" />
                                    : <RunList runs={overview.recent} experiments={overview.experiments} />}
                            </Card>
                        </div>
                    </div>
                ))}
            </Loaded>
        </Page>
    );
}

function RunList({ runs, experiments }: { runs: Run[]; experiments: Map<string, string> }) {
    return (
        <ul className="list">
            {runs.map((run) => (
                <li key={run.info.run_id}>
                    <RunDot run={run} />
                    <div className="grow">
                        <div className="cut"><Link to={path("runs", run.info.run_id)}><bdi>{runName(run).slice(0, 200)}</bdi></Link></div>
                        <div className="cut muted small"><bdi>{(experiments.get(run.info.experiment_id) ?? "").slice(0, 200)}</bdi></div>
                    </div>
                    <div className="right small muted nowrap">
                        <div><RelativeTime at={run.info.start_time} /></div>
                        <div><Elapsed from={run.info.start_time} to={run.info.end_time} /></div>
                    </div>
                </li>
            ))}
        </ul>
    );
}

/** An empty server: the three commands that fill it. */
function Welcome() {
    const address = serverAddress();
    return (
        <Card title="Welcome to Aloft">
            <p className="soft">Nothing is here yet. Three steps take a model from your script to production.</p>
            <ol className="quick">
                <li>
                    <div>
                        <h3>Log a run, with the MLflow client you have</h3>
                        <CodeBlock text={`MLFLOW_TRACKING_URI=${address} python train.py`} />
                    </div>
                </li>
                <li>
                    <div>
                        <h3>Hand a project over and search for its best settings</h3>
                        <CodeBlock text={`export ALOFT_SERVER=${address}\naloft apply aloft.yaml\naloft sweep train`} />
                    </div>
                </li>
                <li>
                    <div>
                        <h3>Put the registered model behind an address</h3>
                        <CodeBlock text={"aloft deploy my-model --model my-model/1 --environment staging --wait"} />
                    </div>
                </li>
            </ol>
        </Card>
    );
}
