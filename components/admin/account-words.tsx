import { getTranslations } from 'next-intl/server'
import { Alert } from '@/components/ui/alert'
import { Status } from '@/components/ui/status'
import { RelativeTime } from '@/components/ui/time'
import type { Tone } from '@/components/ui/tones'
import type { AccountFieldView, AccountProblem } from '@/lib/settings'

const STATES = {
  on: 'good',
  off: 'neutral',
  not_set_up: 'neutral',
  unreadable: 'bad',
  refused_in_production: 'bad',
} as const satisfies Record<string, Tone>
/** Whose words tell of it: those of ways to pay or those of suppliers. */
type Words = 'adminSettings' | 'adminSuppliers'
type Account = { problem: AccountProblem | null; isEnabled: boolean }

/** What an operator is told an account of ours elsewhere is: why it cannot be used comes before whether it is switched on. */
export function stateOfAccount({ problem, isEnabled }: Account): keyof typeof STATES {
  return problem ?? (isEnabled ? 'on' : 'off')
}

export async function AccountStatus({ account, words }: { account: Account; words: Words }) {
  const say = await getTranslations(words)
  const state = stateOfAccount(account)
  return <Status tone={STATES[state]}>{say(`state_${state}`)}</Status>
}

/** What was answered when the connection was last tested, in words. */
export async function LastTest({
  account: { testedAt, fields },
  result,
  name,
  words,
}: {
  account: { testedAt: Date | null; fields: AccountFieldView[] }
  result: string | null
  name: string
  words: Words
}) {
  const say = await getTranslations(words)
  const address = fields.find((field) => field.name === 'apiUrl')?.value ?? ''
  return (
    <div aria-live="polite">
      {result && testedAt ? (
        <Alert tone={result === 'ok' ? 'good' : 'bad'}>
          <p className="break-words">{say(`said_${result as 'ok'}`, { name, address })}</p>
          <p className="mt-1 text-muted">{say.rich('testedAt', { time: () => <RelativeTime at={testedAt} /> })}</p>
        </Alert>
      ) : (
        <p className="text-sm text-muted">{say('testNever')}</p>
      )}
    </div>
  )
}
