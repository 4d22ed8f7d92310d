import { useEffect } from "react";
import { sourceOfLoggedModel } from "../../api/mlflow";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/State";
import { useQuery } from "../../core/query";
import { Link, navigate, path } from "../../core/router";

/** A logged model's address, which clients print, leads to the run that it came from: its files are there. */
export function LoggedModelPage({ id, experiment }: { id: string; experiment: string }) {
    const query = useQuery(`logged/${id}`, async () => (await sourceOfLoggedModel(id)) ?? "");
    const run = query.data ?? "";
    useEffect(() => {
        if (run !== "") navigate(`${path("runs", run)}?tab=artifacts`, { replace: true });
    }, [run]);
    return (
        <Page title={`Logged model ${id.slice(0, 40)}`} crumbs={[{ label: "Experiments", to: "/experiments" }]}>
            <Loaded query={query}>
                {() => run === "" && (
                    <div className="card">
                        <Empty title="No run logged this model" actions={<Link className="button" to={path("experiments", experiment)}>Its experiment</Link>} />
                    </div>
                )}
            </Loaded>
        </Page>
    );
}
