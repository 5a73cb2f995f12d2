// Asks the service with OpenAI's package for JavaScript, and prints what came as JSON.
// Arguments: the file of the package, the address, the token.

import { pathToFileURL } from "node:url";

const [file, baseURL, apiKey] = process.argv.slice(2);
const { default: OpenAI } = await import(pathToFileURL(file).href);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "team/m";
const messages = [{ role: "user", content: "Hello" }];
const found = {};

const whole = await client.chat.completions.create({ model, messages });
found.chat = whole.choices[0].message.content;

found.chatStream = "";
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
  found.chatStream += chunk.choices[0]?.delta?.content ?? "";
}

const response = await client.responses.create({ model, input: "Hello" });
found.response = response.output_text;

found.events = [];
for await (const event of await client.responses.create({ model, input: "Hello", stream: true })) {
  found.events.push(event.type);
}

const helped = client.responses.stream({ model, input: "Hello" });
found.final = (await helped.finalResponse()).output_text;

const left = await client.responses.create({ model, input: "Hello", stream: true });
for await (const event of left) {
  if (event.type === "response.output_text.delta") break;
}

const vectors = await client.embeddings.create({ model: "team/e", input: ["one", "two"] });
found.vectors = vectors.data.map((each) => Array.from(each.embedding));

try {
  await client.responses.create({ model, input: "Hello", previous_response_id: "resp_unknown" });
} catch (error) {
  found.refused = [error.status, error.code];
}

console.log(JSON.stringify(found));
