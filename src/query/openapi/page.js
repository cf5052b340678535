// Makes the page of /openapi.json. Whatever comes from the document or from an answer is set as text, never as HTML.
"use strict";

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
const example = (value) => element("pre", {}, text(value));

function resolved(api, schema) {
  return schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
}

function nameOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const several = schema.oneOf || schema.anyOf;
  if (several) return several.map(nameOf).join(" or ");
  const types = [].concat(schema.type || "anything");
  const names = types.map((type) => (type === "array" ? `list of ${nameOf(schema.items || {})}` : type));
  return names.join(" or ") + (schema.format ? ` (${schema.format})` : "");
}

// The properties of an object, those that it takes over from others among them.
function propertiesOf(api, schema) {
  const whole = resolved(api, schema);
  const own = Object.entries(whole.properties || {});
  return (whole.allOf || []).flatMap((part) => propertiesOf(api, part)).concat(own);
}

// What is inside of a schema that can be opened.
function inside(schema) {
  if (schema.items) return inside(schema.items);
  const several = schema.oneOf || schema.anyOf;
  if (several) return several.find((one) => one.type !== "null") || schema;
  return schema;
}

// Opened only when asked for: some schemas are deep.
function schemaOf(api, schema, name) {
  const inner = inside(schema);
  const properties = propertiesOf(api, inner);
  if (properties.length === 0) return element("code", {}, nameOf(schema));
  const details = element("details", { className: "schema" }, element("summary", {}, name || nameOf(schema)));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(table(api, properties));
  });
  return details;
}

function table(api, properties) {
  const rows = properties.map(([name, schema]) =>
    element("tr", {},
      element("td", {}, element("code", {}, name)),
      element("td", {}, schemaOf(api, schema)),
      element("td", {}, schema.description || resolved(api, inside(schema)).description || "")));
  return element("table", {}, ...rows);
}

function bodyOf(api, content) {
  return Object.entries(content || {}).flatMap(([type, { schema, example: one, examples }]) => [
    element("p", {}, element("code", {}, type), " ", schemaOf(api, schema || {})),
    ...(one === undefined ? [] : [example(one)]),
    ...Object.values(examples || {}).map(({ value }) => example(value)),
  ]);
}

function responseOf(api, status, response) {
  const details = element("details", {}, element("summary", {}, element("code", {}, status), ` ${response.description}`));
  details.append(...bodyOf(api, response.content));
  return details;
}

// Asks with what is filled in. Only what changes nothing is asked from here.
function asking(path, inputs) {
  const shown = element("pre", { hidden: true });
  const button = element("button", { type: "button" }, "Ask");
  button.addEventListener("click", async () => {
    const query = new URLSearchParams();
    let place = path;
    for (const { parameter, input } of inputs) {
      if (parameter.in === "path") place = place.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "" && parameter.in === "query") query.set(parameter.name, input.value);
    }
    const token = document.getElementById("token").value;
    const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
    shown.hidden = false;
    try {
      const answer = await fetch(place + (query.size ? `?${query}` : ""), { headers });
      const body = await answer.text();
      const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
      shown.textContent = `${answer.status}\n${isJson ? text(JSON.parse(body)) : body}`;
    } catch (error) {
      shown.textContent = String(error);
    }
  });
  return element("p", {}, button, shown);
}

function operationOf(api, path, method, operation) {
  const inputs = [];
  const rows = (operation.parameters || []).map((parameter) => {
    const input = element("input", { name: parameter.name, autocomplete: "off", spellcheck: false });
    inputs.push({ parameter, input });
    const choices = (parameter.schema.enum || []).join(", ");
    const isAsked = method === "get" && parameter.in !== "header";
    return element("tr", {},
      element("td", {}, element("code", {}, parameter.name), element("br", {}), element("small", {}, parameter.in)),
      element("td", {}, isAsked ? input : nameOf(parameter.schema)),
      element("td", {}, (parameter.description || "") + (choices ? ` (${choices})` : "")));
  });
  const details = element("details", { className: "operation" },
    element("summary", {},
      element("span", { className: `method ${method}` }, method.toUpperCase()),
      element("code", {}, path), ` ${operation.summary}`));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const isEndless = operation.responses["200"]?.content?.["text/event-stream"];
    details.append(
      element("p", {}, operation.description || ""),
      ...(rows.length ? [element("h3", {}, "Parameters"), element("table", {}, ...rows)] : []),
      ...(method === "get" && !isEndless ? [asking(path, inputs)] : []),
      ...(operation.requestBody ? [element("h3", {}, "Body"), ...bodyOf(api, operation.requestBody.content)] : []),
      element("h3", {}, "Answers"),
      ...Object.entries(operation.responses).map(([status, response]) => responseOf(api, status, response)));
  });
  return details;
}

function show(api) {
  document.getElementById("version").textContent = api.info.version;
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const [tag] = operation.tags;
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operationOf(api, path, method, operation));
    }
  }
  const main = document.getElementById("document");
  main.replaceChildren(...api.info.description.split("\n\n").map((part) => element("p", {}, part)));
  for (const [tag, operations] of groups) main.append(element("h2", {}, tag), ...operations);
}

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => {
    const main = document.getElementById("document");
    main.replaceChildren(element("p", { className: "failed" }, `The document can't be read: ${error}`));
  });
