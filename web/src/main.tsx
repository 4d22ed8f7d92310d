import { createRoot } from "react-dom/client";
import { PlaceProvider } from "./core/router";
import { Shell } from "./shell/Shell";
import "./styles/main.css";

const root = document.getElementById("root");
if (root !== null) {
    createRoot(root).render(<PlaceProvider><Shell /></PlaceProvider>);
}
