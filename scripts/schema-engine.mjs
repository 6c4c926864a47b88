#!/usr/bin/env node
// Prisma's command line wants a native schema engine, which it downloads from a host that a server or a laptop often cannot
// reach. The same engine is on npm as WebAssembly. This program stands where the native one would: it speaks the same protocol
// (one JSON-RPC message per line on stdin and stdout) over @prisma/schema-engine-wasm and @prisma/adapter-pg.
//
//   PRISMA_SCHEMA_ENGINE_BINARY=<absolute path of this file> prisma generate | migrate deploy | migrate diff | db push
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'

const require = createRequire(import.meta.url)
const argv = process.argv.slice(2)

/** PostgreSQL type numbers of the catalog's one-byte "char" and of the types the adapter can read in its place. */
const CHAR = 18
const CHAR_ARRAY = 1002
const BPCHAR = 1042
const TEXT_ARRAY = 1009
/** PostgreSQL cut the connection because the database was dropped, and the error Prisma knows for an absent database. */
const CUT_BY_DROP = '57P01'
const NO_SUCH_DATABASE = '3D000'

if (argv[0] === '--version' || argv[0] === 'version') {
  console.log('schema-engine wasm')
  process.exit(0)
}

const { Client, Query } = require('pg')
const { PrismaPg } = require('@prisma/adapter-pg')
const { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } = require('@prisma/driver-adapter-utils')

const datasource = optionValues('--datasource')[0]
/** @type {string} */
const url = (datasource ? decodeDatasource(datasource).url : undefined) ?? process.env.DATABASE_URL

if (argv.includes('cli')) await runOneOff()
else await serve()

/** @param {string} name @returns {string[]} every value given for an option that may be repeated */
function optionValues(name) {
  return argv.flatMap((argument, index) => (argument === name ? [argv[index + 1] ?? ''] : []))
}

/** @param {string} text JSON, or JSON in base64, depending on the version of the caller @returns {{ url?: string }} */
function decodeDatasource(text) {
  try {
    return JSON.parse(text)
  } catch {
    return JSON.parse(Buffer.from(text, 'base64').toString())
  }
}

/** One log line in the shape the caller reads. @param {string} message @param {Record<string, unknown>} [fields] */
function logError(message, fields = {}) {
  const line = {
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    fields: { message, ...fields },
    target: 'schema_engine::logger',
  }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

/** The commands that are one call of the program: is the database there, make it, drop it. Ends the process. */
async function runOneOff() {
  const command = argv.find((each) => ['can-connect-to-database', 'create-database', 'drop-database'].includes(each))
  process.stderr.write('\n') // the caller skips the first line
  const target = new URL(url)
  const name = decodeURIComponent(target.pathname.slice(1)).replaceAll('"', '""')
  if (command !== 'can-connect-to-database') target.pathname = '/postgres'
  try {
    const client = new Client({ connectionString: target.href })
    await client.connect()
    if (command === 'create-database') await client.query(`CREATE DATABASE "${name}"`)
    if (command === 'drop-database') await client.query(`DROP DATABASE "${name}"`)
    await client.end()
    process.exit(0)
  } catch (error) {
    logError(error.message, { error_code: error.code === NO_SUCH_DATABASE ? 'P1003' : 'P1001' })
    process.exit(1)
  }
}

/** Answers the caller's messages one after the other until it closes stdin. */
async function serve() {
  teachDriverCatalogTypes()
  forceDropDatabase()
  process.on('uncaughtException', (error) => {
    if (error?.code === CUT_BY_DROP) return
    logError(String(error?.stack ?? error))
    process.exit(1)
  })
  const engineModule = await loadEngine()
  const datamodels = optionValues('--datamodels').map((file) => [file, fs.readFileSync(file, 'utf8')])
  let engine
  const getEngine = async () =>
    (engine ??= await engineModule.SchemaEngine.new(
      { datamodels: datamodels.length > 0 ? datamodels : undefined },
      () => {},
      bindMigrationAwareSqlAdapterFactory(schemaEnginePg(connectionFields(url))),
    ))

  let queue = Promise.resolve()
  let printId = 1_000_000 // our own messages need ids that the caller's do not use
  const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

  async function answer(message) {
    if (message.method === undefined) return // the caller's receipt for a 'print' of ours
    try {
      const method = message.method === 'getDatabaseVersion' ? 'version' : message.method
      const target = await getEngine()
      if (typeof target[method] !== 'function') throw new Error(`this schema engine knows no method ${method}`)
      const result = await target[method](message.params)
      if (method === 'diff' && result?.stdout)
        send({ id: ++printId, method: 'print', params: { content: result.stdout.replace(/\n$/, '') } })
      send({ id: message.id, result: result ?? {} })
    } catch (error) {
      const data = {
        is_panic: false,
        message: String(error?.message ?? error),
        meta: error?.meta ?? null,
        error_code: error?.code ?? null,
      }
      send({
        id: message.id,
        error: { code: 4466, message: 'An error happened. Check the data field for details.', data },
      })
    }
  }

  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    if (!line.trim()) return
    const message = JSON.parse(line)
    queue = queue.then(() => answer(message))
  })
  lines.on('close', () => void queue.then(() => process.exit(0)))
}

/** Loads the engine's WebAssembly. Without the registry a panic inside it would end the process with code 0 and no word. */
async function loadEngine() {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => logError(`schema engine panicked: ${message}`) }
  const folder = path.dirname(require.resolve('@prisma/schema-engine-wasm'))
  const bindings = await import(path.join(folder, 'schema_engine_bg.js'))
  const bytes = fs.readFileSync(path.join(folder, 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return bindings
}

/**
 * The adapter has no mapping for "char" and "char"[], which introspection reads (PostgreSQL 18 lists NOT NULL constraints with
 * them). The driver reports a type that the adapter knows and remembers the column, so that the engine is told Character below.
 */
function teachDriverCatalogTypes() {
  const handleRowDescription = Query.prototype.handleRowDescription
  Query.prototype.handleRowDescription = function (message) {
    for (const field of message.fields) {
      if (field.dataTypeID === CHAR) Object.assign(field, { dataTypeID: BPCHAR, wasChar: true })
      if (field.dataTypeID === CHAR_ARRAY) field.dataTypeID = TEXT_ARRAY
    }
    return handleRowDescription.call(this, message)
  }
}

/** The engine drops its shadow database while its last connection to it is still closing; FORCE makes that certain. */
function forceDropDatabase() {
  const query = Client.prototype.query
  const force = (text) => (/^\s*DROP DATABASE (?!.*FORCE)/i.test(text) ? text.replace(/;?\s*$/, ' WITH (FORCE)') : text)
  Client.prototype.query = function (config, ...rest) {
    if (typeof config === 'string') return query.call(this, force(config), ...rest)
    if (typeof config?.text === 'string' && /^\s*DROP DATABASE/i.test(config.text))
      return query.call(this, { ...config, text: force(config.text) }, ...rest)
    return query.call(this, config, ...rest)
  }
}

/**
 * Host, user and database apart: with a connection string, pg lets the string win over a later `database`, and then the shadow
 * database would be the main one.
 * @param {string} address
 */
function connectionFields(address) {
  const parsed = new URL(address)
  return {
    host: parsed.searchParams.get('host') ?? parsed.hostname,
    port: Number(parsed.port) || 5432,
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password) || undefined,
    database: decodeURIComponent(parsed.pathname.slice(1)),
  }
}

/** The adapter with the two mends the engine needs: Character columns, and scripts sent whole. */
function forSchemaEngine(adapter) {
  const performIO = adapter.performIO.bind(adapter)
  const queryRaw = adapter.queryRaw.bind(adapter)
  let fields = []
  adapter.performIO = async (query) => {
    const result = await performIO(query)
    fields = result.fields
    return result
  }
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query)
    result.columnTypes = result.columnTypes.map((type, index) =>
      fields[index]?.wasChar ? ColumnTypeEnum.Character : type,
    )
    return result
  }
  // The adapter cuts a script at every semicolon, which breaks function bodies in $$ quotes.
  adapter.executeScript = async (script) => {
    try {
      await adapter.client.query(script)
    } catch (error) {
      adapter.onError(error)
    }
  }
  return adapter
}

/** A factory of such adapters, for the main database and for the shadow one. */
function schemaEnginePg(fields) {
  const factory = new PrismaPg(fields)
  const connect = factory.connect.bind(factory)
  const connectToShadowDb = factory.connectToShadowDb.bind(factory)
  factory.connect = async () => forSchemaEngine(await connect())
  factory.connectToShadowDb = async () => forSchemaEngine(await connectToShadowDb())
  return factory
}
