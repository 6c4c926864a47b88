import { spawn } from 'node:child_process'
import { ROOT } from './settings'

/** Runs one of our TypeScript files to its end in a process of its own, with exactly this environment. */
export async function runScript(
  file: string,
  env: NodeJS.ProcessEnv,
  options: { args?: string[]; show?: boolean } = {},
): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...(options.args ?? [])], {
    cwd: ROOT,
    env,
    stdio: options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1))
    child.once('close', (status) => resolve(status ?? 1))
  })
  return { code, output }
}
