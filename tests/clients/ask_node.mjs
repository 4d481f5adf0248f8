// The openai package for Node: `node ask_node.mjs URL KEY SLOW_URL` prints what it saw as JSON.
import OpenAI from 'openai';

const [url, key, slowUrl] = process.argv.slice(2);
const model = 'company-assistant';
const messages = [{ role: 'user', content: '有給休暇の期限は?' }];
const client = (baseURL, apiKey) => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0 });

const models = [];
for await (const one of client(url, key).models.list()) models.push(one.id);

const whole = await client(url, key).chat.completions.create({ model, messages });

let streamed = '';
let streamedUsage = null;
const options = { model, messages, stream: true, stream_options: { include_usage: true } };
for await (const chunk of await client(url, key).chat.completions.create(options)) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
  streamedUsage = chunk.usage?.completion_tokens ?? streamedUsage;
}

let refused = null;
try {
  await client(url, 'ca_wrong').models.list();
} catch (error) {
  if (!(error instanceof OpenAI.AuthenticationError)) throw error;
  refused = error.code;
}

let first = '';
const open = await client(slowUrl, key).chat.completions.create({ model, messages, stream: true });
for await (const chunk of open) {
  first += chunk.choices[0]?.delta?.content ?? '';
  if (first) break; // leaving the loop hangs up
}

console.log(JSON.stringify({
  models,
  answer: whole.choices[0].message.content,
  citations: whole.citations.length,
  streamed,
  usage: [whole.usage.prompt_tokens, whole.usage.completion_tokens],
  streamed_usage: streamedUsage,
  refused,
  first,
}));
