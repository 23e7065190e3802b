// What is on screen as a command or a few lines of code.
import { html, useState } from '../html.js';
import { currentNamespace } from '../settings.js';
import { Choice, CopyButton } from './basics.js';
import { Dialog } from './dialog.js';

const shell = (text) => (/^[A-Za-z0-9_./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const kebab = (name) => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').replace(/([A-Z])([A-Z][a-z])/g, '$1-$2').toLowerCase();
const streams = new Set(['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']);

/** present leaves out members without a value. */
const present = (input) => JSON.parse(JSON.stringify(input));

function cli(operation, input) {
  const { region } = currentNamespace();
  const lines = [`aws ${streams.has(operation) ? 'dynamodbstreams' : 'dynamodb'} ${kebab(operation)} --endpoint-url ${location.origin} --region ${shell(region)}`];
  for (const [name, v] of Object.entries(input)) {
    if (typeof v === 'boolean') lines.push(v ? `--${kebab(name)}` : `--no-${kebab(name)}`);
    else if (Array.isArray(v) && v.every((e) => typeof e === 'string')) lines.push(`--${kebab(name)} ${v.map(shell).join(' ')}`);
    else lines.push(`--${kebab(name)} ${shell(typeof v === 'object' ? JSON.stringify(v) : String(v))}`);
  }
  return lines.join(' \\\n  ');
}

function python(v, indent = '') {
  const inner = indent + '    ';
  if (v === true) return 'True';
  if (v === false) return 'False';
  if (v === null) return 'None';
  if (typeof v !== 'object') return JSON.stringify(v);
  const list = Array.isArray(v) ? v.map((e) => inner + python(e, inner)) : Object.entries(v).map(([k, e]) => `${inner}${JSON.stringify(k)}: ${python(e, inner)}`);
  const [open, close] = Array.isArray(v) ? '[]' : '{}';
  return list.length ? `${open}\n${list.join(',\n')},\n${indent}${close}` : open + close;
}

const snippets = {
  cli: ['AWS CLI', cli],
  js: ['JavaScript', (operation, input) => {
    const { accessKey, region } = currentNamespace();
    const kind = streams.has(operation) ? ['DynamoDBStreamsClient', '@aws-sdk/client-dynamodb-streams'] : ['DynamoDBClient', '@aws-sdk/client-dynamodb'];
    return `import { ${kind[0]}, ${operation}Command } from ${JSON.stringify(kind[1])};

const client = new ${kind[0]}({
  endpoint: ${JSON.stringify(location.origin)}, region: ${JSON.stringify(region)},
  credentials: { accessKeyId: ${JSON.stringify(accessKey)}, secretAccessKey: "any" },
});
const answer = await client.send(new ${operation}Command(${JSON.stringify(input, null, 2)}));`;
  }],
  python: ['Python', (operation, input) => {
    const { accessKey, region } = currentNamespace();
    return `import boto3

client = boto3.client(
    ${JSON.stringify(streams.has(operation) ? 'dynamodbstreams' : 'dynamodb')}, endpoint_url=${JSON.stringify(location.origin)}, region_name=${JSON.stringify(region)},
    aws_access_key_id=${JSON.stringify(accessKey)}, aws_secret_access_key="any",
)
answer = client.${kebab(operation).replaceAll('-', '_')}(**${python(input)})`;
  }],
  json: ['Request', (operation, input) => `POST / HTTP/1.1
Content-Type: application/x-amz-json-1.0
X-Amz-Target: ${streams.has(operation) ? 'DynamoDBStreams' : 'DynamoDB'}_20120810.${operation}

${JSON.stringify(input, null, 2)}`],
};

/** Snippet shows one request in the form the user likes best. */
export function Snippet({ operation, input }) {
  const [form, set] = useState('cli');
  const text = snippets[form][1](operation, present(input));
  return html`<div class="stack"><div class="panel-head"><${Choice} label="Form" value=${form} onChange=${set} options=${Object.entries(snippets).map(([k, [t]]) => [k, t])}/>
    <div class="actions"><${CopyButton} text=${text}/></div></div><pre class="text" tabindex="0">${text}</pre></div>`;
}

/** SnippetButton opens the snippet of what request() returns, [operation, input]. */
export function SnippetButton({ request, label = 'Code' }) {
  const [shown, set] = useState(null);
  const open = () => {
    try {
      set(request());
    } catch (error) {
      set([null, error.message]);
    }
  };
  return html`<button type="button" class="small" title="As a command or in code" onClick=${open}>${'</>'} ${label}</button>
    ${shown && html`<${Dialog} title=${shown[0] || 'Not yet'} onClose=${() => set(null)}><div class="dialog-body">${shown[0] ? html`<${Snippet} operation=${shown[0]} input=${shown[1]}/>` : shown[1]}</div><//>`}`;
}
