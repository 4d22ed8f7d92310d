import { Empty } from "../../components/State";
import { Card } from "../../components/Card";
import { Page } from "../../components/Page";
import { Link } from "../../core/router";

export function NotFound() {
    return (
        <Page title="No such page">
            <Card>
                <Empty title="There is nothing at this address"
                    actions={<Link to="/" className="button">Go home</Link>}>
                    The address may be mistyped, or what it showed is gone.
                </Empty>
            </Card>
        </Page>
    );
}
