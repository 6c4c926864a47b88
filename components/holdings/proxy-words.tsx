import { getTranslations } from 'next-intl/server'
import { Status } from '@/components/ui/status'
import { RelativeTime } from '@/components/ui/time'
import type { Tone } from '@/components/ui/tones'
import type { HeldProxy, ProxyStanding } from '@/lib/holdings'

const TONES: Record<ProxyStanding, Tone> = { live: 'good', grace: 'warning', ended: 'neutral' }

/** How a proxy stands; of one that ended, how. */
export async function Standing({ proxy }: { proxy: { standing: ProxyStanding; state: string } }) {
  const say = await getTranslations('proxies')
  const { standing, state } = proxy
  const word =
    standing !== 'ended'
      ? say(`standing_${standing}`)
      : say(state === 'replaced' || state === 'withdrawn' || state === 'refunded' ? `ended_${state}` : 'ended_expired')
  return <Status tone={TONES[standing]}>{word}</Status>
}

/** What its last check said, and when. */
export async function LastCheck({ proxy }: { proxy: Pick<HeldProxy, 'lastAt' | 'lastOk'> }) {
  const say = await getTranslations('proxies')
  if (proxy.lastAt === null || proxy.lastOk === null) return <span className="text-muted">{say('neverChecked')}</span>
  return (
    <span className="flex flex-col items-start gap-1 max-sm:items-end">
      {proxy.lastOk ? <Status tone="good">{say('works')}</Status> : <Status tone="bad">{say('fails')}</Status>}
      <span className="text-xs text-muted">
        <RelativeTime at={proxy.lastAt} />
      </span>
    </span>
  )
}

export function placeOf({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Tags in a row. */
export function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span className="flex flex-wrap gap-1 max-sm:justify-end">
      {tags.map((tag) => (
        <span key={tag} className="max-w-full rounded-md border bg-sunken px-1.5 text-xs break-words text-muted">
          {tag}
        </span>
      ))}
    </span>
  )
}
