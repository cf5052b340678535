"""Compares the manifests of a folder with Kubernetes's schemas, and with each other: FOLDER"""

import pathlib
import sys

import kubernetes_validate
import yaml

# The oldest version that is looked after, or nearly: what it knows, later ones know too.
VERSION = "1.32"
# Kinds of the Prometheus operator, which Kubernetes has no schema of.
FOREIGN = {"ServiceMonitor"}


def main():
    folder = pathlib.Path(sys.argv[1])
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    problems = [f"kustomization.yaml and the folder differ by {name}" for name in files ^ set(kustomization["resources"])]

    manifests = [(name, part) for name in sorted(files) for part in yaml.safe_load_all((folder / name).read_text())]
    for name, manifest in manifests:
        if manifest["kind"] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(str(step) for step in error.path)
            problems.append(f"{name}: {manifest['kind']}: {place}: {error.message}")

    pods = [manifest["spec"]["template"] for _, manifest in manifests if manifest["kind"] in ("Deployment", "StatefulSet")]
    problems += selects_something(manifests, pods)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(manifests)} manifests, {len(problems)} problems")
    sys.exit(bool(problems))


def selects_something(manifests, pods):
    """Whether each selector finds what it is for, and each named port is one of what is found."""
    services = [manifest for _, manifest in manifests if manifest["kind"] == "Service"]
    for name, manifest in manifests:
        spec = manifest.get("spec", {})
        match manifest["kind"]:
            case "Service":
                found, ports = fitting(pods, spec["selector"]), [port["targetPort"] for port in spec["ports"]]
                offered = [port["name"] for pod in found for port in pod["spec"]["containers"][0]["ports"]]
            case "PodDisruptionBudget" | "Deployment" | "StatefulSet":
                found, ports, offered = fitting(pods, spec["selector"]["matchLabels"]), [], []
            case "ServiceMonitor":
                found = fitting(services, spec["selector"]["matchLabels"])
                ports = [endpoint["port"] for endpoint in spec["endpoints"]] * len(found)
                offered = [port["name"] for service in found for port in service["spec"]["ports"]]
            case "Ingress":
                backends = [path["backend"]["service"] for rule in spec["rules"] for path in rule["http"]["paths"]]
                found = [service for service in services for end in backends if service["metadata"]["name"] == end["name"]]
                ports = [end["port"]["name"] for end in backends]
                offered = [port["name"] for service in found for port in service["spec"]["ports"]]
            case _:
                continue
        if not found:
            yield f"{name}: {manifest['kind']} {manifest['metadata']['name']} selects nothing"
        yield from (f"{name}: there is no port {port}" for port in ports if offered.count(port) < ports.count(port))


def fitting(things, labels):
    """Those that have all these labels."""
    return [thing for thing in things if labels.items() <= thing["metadata"]["labels"].items()]


main()
