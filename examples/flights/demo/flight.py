"""The stages of the demo, in order."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from demo.screen import SCREEN
from demo.server import Aloft, StepFailed, get

MODEL = "flight-delay"
DEPLOYMENT = "flight-delay"


@dataclass
class Flight:
    """The demo's stages in order, and what they learn for the closing table."""

    aloft: Aloft
    rate: float
    limit: int
    kill: bool
    trials: int | None
    facts: dict[str, str] = field(default_factory=dict)
    best_parameters: dict[str, str] = field(default_factory=dict)

    def fly(self) -> None:
        self.start_and_apply()
        self.prepare()
        baseline = self.baseline()
        best = self.sweep()
        second = self.second_version()
        self.convert([baseline, best, second])
        self.deploy(baseline, "staging")
        self.deploy(baseline, "production")
        self.deploy(best, "staging")
        stream = self.start_stream()
        self.deploy(best, "production")
        if self.kill:
            self.aloft.kill_and_restart()
        self.deploy(second, "staging")
        self.deploy(second, "production")
        self.roll_back(stream, expected=best)
        self.finish_stream(stream)

    def start_and_apply(self) -> None:
        SCREEN.stage("Start the server and its gateway with an empty data folder")
        seconds = self.aloft.start()
        SCREEN.fact(f"{self.aloft.url} answered after {seconds * 1000:.0f} ms")
        SCREEN.stage("Apply the project: aloft apply aloft.yaml")
        for line in self.aloft.run("apply", "aloft.yaml").splitlines():
            SCREEN.fact(line)

    def prepare(self) -> None:
        SCREEN.stage("Prepare the data: aloft run prepare")
        SCREEN.fact("336,776 departures of 2013 and the hourly weather, one table a month")
        self.finish_job(self.start_job("prepare"), "building the environment, then preparing")

    def baseline(self) -> str:
        SCREEN.stage("Train a baseline: aloft run train")
        job = self.start_job("train", rounds="40", max_depth="2")
        return self.ensure_version(self.finish_job(job, "training")["run"])

    def second_version(self) -> str:
        """A later version: the best trial's parameters, with more rounds."""
        SCREEN.stage("Train a second version with the best parameters: aloft run train")
        job = self.start_job("train", **self.best_parameters, rounds="160")
        return self.ensure_version(self.finish_job(job, "training")["run"])

    def sweep(self) -> str:
        """The version that the sweep registered from its best trial."""
        SCREEN.stage("Sweep: aloft sweep train")
        words = ["--trials", str(self.trials)] if self.trials else []
        identifier = self.aloft.json("sweep", "start", "train", *words)["id"]
        killed = not self.kill
        while True:
            sweep = self.aloft.api("GET", f"sweeps/{identifier}")
            trials = sweep["trials"]
            ended = [trial for trial in trials if trial["state"] not in ("running", "stopping")]
            finished = sorted(
                (trial for trial in trials if trial["state"] == "succeeded"),
                key=lambda trial: -trial["objective"],
            )
            early = sum(trial["state"] == "stoppedEarly" for trial in trials)
            best = f", best val_auc {finished[0]['objective']:.4f}" if finished else ""
            text = f"trials ended, {early} stopped early{best}"
            SCREEN.bar(len(ended), sweep["trialLimit"], text)
            if sweep["state"] in ("succeeded", "failed", "stopped"):
                break
            if not killed and len(ended) >= 3:
                killed = True
                self.aloft.kill_and_restart()
            time.sleep(0.5)
        SCREEN.clear_bar()
        if sweep["state"] != "succeeded":
            raise StepFailed(f"the sweep ended {sweep['state']}: {sweep.get('reason')}")
        self.check_trials(sweep, early)
        self.facts["validation AUC"] = f"{finished[0]['objective']:.4f}"
        values = ", ".join(f"{item['name']} {item['value']}" for item in finished[0]["parameters"])
        SCREEN.fact(f"best: trial {finished[0]['number']} with {values}")
        self.best_parameters = {item["name"]: item["value"] for item in finished[0]["parameters"]}
        return str(sweep["registered"]["version"])

    def check_trials(self, sweep: dict[str, Any], early: int) -> None:
        """No trial was lost or run twice, also where the server was killed."""
        trials = sweep["trials"]
        numbers = sorted(trial["number"] for trial in trials)
        runs = {trial["run"] for trial in trials}
        jobs = {trial["job"] for trial in trials}
        if len(trials) != sweep["trialLimit"] or len(set(numbers)) != len(numbers):
            raise StepFailed(f"{sweep['trialLimit']} trials were asked for; there are {numbers}")
        if len(runs) != len(trials) or len(jobs) != len(trials):
            raise StepFailed("two trials share a run or a job")
        failed = [trial for trial in trials if trial["state"] == "failed"]
        if failed:
            raise StepFailed(f"trial {failed[0]['number']} failed: {failed[0].get('reason')}")
        self.facts["trials run"] = str(len(trials))
        self.facts["stopped early"] = str(early)
        SCREEN.fact(f"{len(trials)} trials, {early} stopped early; none lost, none run twice")

    def convert(self, versions: list[str]) -> None:
        SCREEN.stage("Convert each registered version to ONNX and compare it with the original")
        for version in versions:
            path = f"models/{MODEL}/versions/{version}/servable"
            deadline = time.monotonic() + 600
            while (servable := self.aloft.api("GET", path, missing={}))["state"] != "ready":
                if servable["state"] == "failed":
                    raise StepFailed(f"version {version}: {servable.get('reason')}")
                if time.monotonic() > deadline:
                    raise StepFailed(f"version {version} is still {servable['state']}")
                SCREEN.waiting(f"version {version}: {servable['state']}")
                time.sleep(0.5)
            manifest = servable["manifest"]
            SCREEN.fact(
                f"version {version}: {manifest['runtime']}, parity {manifest['parity']:.1e}"
                f" over {manifest.get('parity_rows')} rows"
            )
            self.facts["parity (largest)"] = f"{manifest['parity']:.1e}"

    def deploy(self, version: str, environment: str) -> None:
        SCREEN.stage(f"Deploy version {version} to {environment}")
        began = time.monotonic()
        words = ["deploy", DEPLOYMENT, "--model", f"{MODEL}/{version}"]
        self.aloft.run(*words, "--environment", environment, "--wait")
        shown = self.aloft.api("GET", f"deployments/{DEPLOYMENT}?environment={environment}")
        live = shown["deployment"]["live"]
        if str(live["version"]) != version:
            raise StepFailed(f"version {live['version']} is live, not {version}")
        for check in live["checks"]:
            SCREEN.fact(f"check {check['explanation']}")
        for step in (live.get("rollout") or {}).get("steps", []):
            SCREEN.fact(
                f"step {step['weightPercent']:g} %: {step['candidate']['requests']} requests,"
                f" {step['candidate']['errors']} errors, {step.get('verdict') or 'under way'}"
            )
        SCREEN.fact(f"live after {time.monotonic() - began:.1f} s")

    def start_stream(self) -> str:
        SCREEN.stage("Send March's departures to production, one request each: aloft run stream")
        job = self.start_job(
            "stream",
            gateway=self.aloft.gateway_url,
            endpoint=DEPLOYMENT,
            rate=f"{self.rate:g}",
            limit=str(self.limit),
        )
        deadline = time.monotonic() + 300
        while "sent" not in self.log_of(job):
            if time.monotonic() > deadline or self.aloft.job(job)["state"] == "ended":
                raise StepFailed(f"the stream did not start:\n{self.log_of(job)}")
            time.sleep(0.5)
        SCREEN.fact(f"up to {self.rate:g} requests a second over 4 connections")
        return job

    def roll_back(self, stream: str, expected: str) -> None:
        SCREEN.stage(f"Roll back: aloft rollback {DEPLOYMENT}")
        if self.aloft.job(stream)["state"] == "ended":
            raise StepFailed("the stream ended before the rollback; start it with a lower --rate")
        before = self.answering_revision()
        began = time.monotonic()
        self.aloft.run("rollback", DEPLOYMENT)
        while self.answering_revision() == before:
            if time.monotonic() - began > 30:
                raise StepFailed(f"revision {before} still answers")
            time.sleep(0.01)
        seconds = time.monotonic() - began
        live = self.aloft.api("GET", f"deployments/{DEPLOYMENT}")["deployment"]["live"]
        if str(live["version"]) != expected:
            raise StepFailed(f"version {live['version']} is live, not {expected}")
        SCREEN.fact(f"version {expected} answers again after {seconds:.2f} s")
        self.facts["rollback"] = f"{seconds:.2f} s"

    def answering_revision(self) -> str:
        """Which revision answers right now, as the gateway says in its reply."""
        path = f"{self.aloft.gateway_url}/v2/models/{DEPLOYMENT}"
        inputs = json.loads(get(path) or b"{}").get("inputs", [])
        if not inputs:
            raise StepFailed(f"{path} does not say what the model takes")
        # A tensor a column, each of one row.
        body = {"inputs": [{**tensor, "shape": [1, 1], "data": [0]} for tensor in inputs]}
        request = urllib.request.Request(
            path + "/infer", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return str(reply.headers["x-aloft-revision"])

    def finish_stream(self, job: str) -> None:
        SCREEN.stage("Wait for the last answers, and compare them with what happened")
        view = self.finish_job(job, "streaming")
        run = self.aloft.tracking("GET", f"runs/get?run_id={view['run']}")["run"]
        metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
        self.facts["AUC on March's answers"] = f"{metrics['auc']:.4f}"
        self.facts["requests sent"] = f"{metrics['requests']:.0f}"
        self.facts["requests failed"] = f"{metrics['failed']:.0f}"
        self.facts["latency p50"] = f"{metrics['p50_ms']:.2f} ms"
        self.facts["latency p99"] = f"{metrics['p99_ms']:.2f} ms"
        self.facts["requests a second"] = f"{metrics['requests_per_second']:.0f}"
        if self.aloft.killed:
            self.facts["server killed"] = f"{self.aloft.killed} times"
        if metrics["failed"]:
            raise StepFailed(f"{metrics['failed']:.0f} requests failed:\n{self.log_of(job)}")

    # Jobs and versions.

    def start_job(self, name: str, **parameters: str) -> str:
        words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
        return str(self.aloft.json("run", name, *words)["id"])

    def finish_job(self, job: str, text: str) -> dict[str, Any]:
        """Waits for a job and returns it; its last lines are shown as they come."""
        while (view := self.aloft.job(job))["state"] != "ended":
            self.show_progress(text, self.log_of(job).splitlines())
            time.sleep(0.5)
        SCREEN.clear_bar()
        if view.get("outcome") != "succeeded":
            raise StepFailed(f"job {view['name']}: {view.get('failure')}\n{self.log_of(job)}")
        SCREEN.fact(f"job {view['name']} succeeded")
        return view

    def show_progress(self, text: str, lines: list[str]) -> None:
        """A bar that follows `DONE/TOTAL` in a job's last line, or that line without them."""
        last = lines[-1][:90] if lines else ""
        if counted := re.match(r"(\d+)/(\d+) (.*)", last):
            SCREEN.bar(int(counted[1]), int(counted[2]), f"{text}: {counted[3]}")
        else:
            SCREEN.waiting(f"{text}: {last}" if last else text)

    def log_of(self, job: str) -> str:
        return str(self.aloft.api("GET", f"jobs/{job}/log?tail=4000", missing={}).get("text", ""))

    def ensure_version(self, run: str) -> str:
        """The version registered from this run's model; registers it if nobody has."""
        query = urllib.parse.urlencode({"filter": f"name='{MODEL}' and run_id='{run}'"})
        found = self.aloft.tracking("GET", f"model-versions/search?{query}")
        if found.get("model_versions"):
            return str(found["model_versions"][0]["version"])
        outputs = self.aloft.tracking("GET", f"runs/get?run_id={run}")["run"]["outputs"]
        model = outputs["model_outputs"][0]["model_id"]
        self.aloft.tracking("POST", "registered-models/create", {"name": MODEL}, tolerate=True)
        made = self.aloft.tracking(
            "POST",
            "model-versions/create",
            {"name": MODEL, "source": f"models:/{model}", "run_id": run, "model_id": model},
        )
        version = str(made["model_version"]["version"])
        SCREEN.fact(f"registered {MODEL} version {version}")
        return version
