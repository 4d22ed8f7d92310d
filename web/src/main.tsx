import { createRoot } from "react-dom/client";
import { RouterProvider, redirectFromMLflow } from "./core/router";
import { Shell } from "./shell/Shell";
import "./styles/main.css";

const root = document.getElementById("root");
if (root !== null) {
    const show = () => createRoot(root).render(<RouterProvider><Shell /></RouterProvider>);
    // An address that nobody can read is shown as it is: the page says that there is nothing.
    redirectFromMLflow().then(show, show);
}
