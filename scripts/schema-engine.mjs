#!/usr/bin/env node
// Stands in for Prisma's native schema-engine binary (which is downloaded from a host that may be out of reach).
// It speaks the same line-delimited JSON-RPC on stdin/stdout, over @prisma/schema-engine-wasm and @prisma/adapter-pg.
// Use: PRISMA_SCHEMA_ENGINE_BINARY=/abs/path/schema-engine-shim.mjs npx prisma generate | migrate dev|deploy|diff | db push
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'

const require = createRequire(path.join(process.env.PRISMA_SHIM_ROOT ?? process.cwd(), 'package.json'))
const argv = process.argv.slice(2)
const opt = (n) => {
  const out = []
  argv.forEach((a, i) => {
    if (a === n) out.push(argv[i + 1])
  })
  return out
}
const decodeDs = (s) => {
  try {
    return JSON.parse(s)
  } catch {
    return JSON.parse(Buffer.from(s, 'base64').toString())
  }
}
const ds = opt('--datasource')[0] ? decodeDs(opt('--datasource')[0]) : {}
const url = ds.url ?? process.env.DATABASE_URL
const log = (level, message, extra = {}) =>
  process.stderr.write(
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level,
      fields: { message, ...extra },
      target: 'schema_engine::logger',
    }) + '\n',
  )

if (argv[0] === '--version' || argv[0] === 'version') {
  console.log('schema-engine-shim wasm')
  process.exit(0)
}

const { Client } = require('pg')
async function canConnect(u) {
  const c = new Client({ connectionString: u })
  await c.connect()
  await c.end()
}
if (argv.includes('cli')) {
  const cmd = argv.find((a) => ['can-connect-to-database', 'create-database', 'drop-database'].includes(a))
  process.stderr.write('\n') // the caller skips the first line
  const u = new URL(ds.url ?? url),
    db = decodeURIComponent(u.pathname.slice(1)),
    admin = new URL(u)
  admin.pathname = '/postgres'
  try {
    if (cmd === 'can-connect-to-database') await canConnect(u.href)
    else {
      const c = new Client({ connectionString: admin.href })
      await c.connect()
      await c.query(`${cmd === 'create-database' ? 'CREATE' : 'DROP'} DATABASE "${db.replaceAll('"', '""')}"`)
      await c.end()
    }
    process.exit(0)
  } catch (e) {
    log('ERROR', e.message, { error_code: e.code === '3D000' ? 'P1003' : 'P1001' })
    process.exit(1)
  }
}

// adapter-pg has no mapping for the catalog type "char" (oid 18) and "char"[] (1002), which introspection reads. Report bpchar to the
// adapter and remember the column, so that the engine is told Character below (PostgreSQL 18 lists NOT NULL constraints, read as char).
const { Query } = require('pg'),
  desc = Query.prototype.handleRowDescription
Query.prototype.handleRowDescription = function (msg) {
  for (const f of msg.fields) {
    if (f.dataTypeID === 18) {
      f.dataTypeID = 1042
      f.wasChar = true
    }
    if (f.dataTypeID === 1002) f.dataTypeID = 1009
  }
  return desc.call(this, msg)
}
// the shadow database is dropped while its last connection is still closing
const query = Client.prototype.query
Client.prototype.query = function (c, ...a) {
  const force = (t) => (/^\s*DROP DATABASE (?!.*FORCE)/i.test(t) ? t.replace(/;?\s*$/, ' WITH (FORCE)') : t)
  if (typeof c === 'string') c = force(c)
  else if (typeof c?.text === 'string' && /^\s*DROP DATABASE/i.test(c.text)) c = { ...c, text: force(c.text) }
  return query.call(this, c, ...a)
}
process.on('uncaughtException', (e) => {
  if (e?.code !== '57P01') {
    log('ERROR', String(e?.stack ?? e))
    process.exit(1)
  }
}) // 57P01: that connection was cut by the drop
const { PrismaPg } = require('@prisma/adapter-pg')
const { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } = require('@prisma/driver-adapter-utils')
const dir = path.dirname(require.resolve('@prisma/schema-engine-wasm'))
const bg = await import(path.join(dir, 'schema_engine_bg.js'))
const inst = new WebAssembly.Instance(
  new WebAssembly.Module(fs.readFileSync(path.join(dir, 'schema_engine_bg.wasm'))),
  { './schema_engine_bg.js': bg },
)
bg.__wbg_set_wasm(inst.exports)
inst.exports.__wbindgen_start()

// discrete fields, not connectionString: pg lets a connectionString win over 'database', and then the shadow database IS the main one
const parts = (s) => {
  const u = new URL(s)
  return {
    host: u.searchParams.get('host') ?? u.hostname,
    port: +u.port || 5432,
    user: decodeURIComponent(u.username),
    password: decodeURIComponent(u.password) || undefined,
    database: decodeURIComponent(u.pathname.slice(1)),
  }
}
const forSchemaEngine = (adapter) => {
  const performIO = adapter.performIO.bind(adapter),
    queryRaw = adapter.queryRaw.bind(adapter)
  let fields = []
  adapter.performIO = async (query) => {
    const result = await performIO(query)
    fields = result.fields
    return result
  }
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query)
    result.columnTypes = result.columnTypes.map((t, i) => (fields[i]?.wasChar ? ColumnTypeEnum.Character : t))
    return result
  }
  // adapter-pg cuts a script at every semicolon, which breaks function bodies in $$ quotes: send it whole
  adapter.executeScript = async (script) => {
    try {
      await adapter.client.query(script)
    } catch (e) {
      adapter.onError(e)
    }
  }
  return adapter
}
class SchemaEnginePg extends PrismaPg {
  async connect() {
    return forSchemaEngine(await super.connect())
  }
  async connectToShadowDb() {
    return forSchemaEngine(await super.connectToShadowDb())
  }
}
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (m) => log('ERROR', 'schema engine panicked: ' + m) }
const models = opt('--datamodels').map((f) => [f, fs.readFileSync(f, 'utf8')])
let engine
const get = async () =>
  (engine ??= await bg.SchemaEngine.new(
    { datamodels: models.length ? models : undefined },
    (m) => process.env.PRISMA_SHIM_DEBUG && process.stderr.write(String(m) + '\n'),
    bindMigrationAwareSqlAdapterFactory(new SchemaEnginePg(parts(url))),
  ))

const send = (o) => process.stdout.write(JSON.stringify(o) + '\n')
let seq = 1e6,
  queue = Promise.resolve()
async function handle(msg) {
  if (msg.method === undefined) return // an answer to our 'print'
  try {
    const e = await get()
    const name = msg.method === 'getDatabaseVersion' ? 'version' : msg.method
    if (typeof e[name] !== 'function') throw new Error('schema engine shim: no method ' + name)
    const result = await e[name](msg.params)
    if (name === 'diff' && result?.stdout)
      send({ jsonrpc: '2.0', id: ++seq, method: 'print', params: { content: result.stdout.replace(/\n$/, '') } })
    send({ jsonrpc: '2.0', id: msg.id, result: result ?? {} })
  } catch (err) {
    send({
      jsonrpc: '2.0',
      id: msg.id,
      error: {
        code: 4466,
        message: 'An error happened. Check the data field for details.',
        data: {
          is_panic: false,
          message: String(err?.message ?? err),
          meta: err?.meta ?? null,
          error_code: err?.code ?? null,
        },
      },
    })
  }
}
const rl = readline.createInterface({ input: process.stdin })
rl.on('line', (l) => {
  if (!l.trim()) return
  const m = JSON.parse(l)
  queue = queue.then(() => handle(m))
})
rl.on('close', async () => {
  await queue
  process.exit(0)
})
