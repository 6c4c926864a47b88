import { spawn, type ChildProcess } from 'node:child_process'

export type Guarded = { process: ChildProcess; ended: Promise<void>; hasEnded: () => boolean; graceMs: number }

/**
 * Runs the command below a small shell that waits for the end of our end of a pipe: the kernel closes that when this process ends,
 * however it ends, and then the command gets the signal, and is killed ten seconds later unless it listened (`patient` gives it a
 * minute, for a database that writes its memory to disk). A session of its own keeps a terminal's Ctrl-C for us to handle in order.
 */
export function spawnGuarded(
  command: string,
  args: string[],
  options: {
    signal: 'INT' | 'TERM'
    patient?: boolean
    cwd?: string
    env: NodeJS.ProcessEnv
    output: number | 'inherit' | 'pipe'
    account?: { uid: number; gid: number }
  },
): Guarded {
  const graceSeconds = options.patient ? 60 : 10
  const script = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
( read -r _ <&3; kill -s ${options.signal} $child 2>/dev/null; i=0
  while [ $i -lt ${graceSeconds} ] && kill -0 $child 2>/dev/null; do sleep 1; i=$((i+1)); done
  kill -s KILL $child 2>/dev/null ) >/dev/null 2>&1 &
guard=$!
wait $child; code=$?
kill $guard 2>/dev/null
exit $code`
  const child = spawn('/bin/sh', ['-c', script, 'sh', command, ...args], {
    stdio: ['pipe', options.output, options.output],
    detached: true,
    cwd: options.cwd,
    env: options.env,
    ...(options.account ? { uid: options.account.uid, gid: options.account.gid } : {}),
  })
  let isOver = false
  child.stdin?.on('error', () => {}) // the shell may be gone before we close the pipe
  const ended = new Promise<void>((resolve) => {
    const end = () => ((isOver = true), resolve())
    child.once('exit', end)
    child.once('error', end)
  })
  return { process: child, ended, hasEnded: () => isOver, graceMs: graceSeconds * 1000 }
}

/**
 * Closes the pipe, which makes the guard send the signal, and waits for the end. Should the guard itself be gone, the whole group is killed
 * a little after the guard would have done it.
 */
export async function stopGuarded(guarded: Guarded): Promise<void> {
  guarded.process.stdin?.end()
  const { pid } = guarded.process
  const lastResort = setTimeout(() => {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // The group ended in this very moment.
    }
  }, guarded.graceMs + 2000)
  await guarded.ended
  clearTimeout(lastResort)
}
