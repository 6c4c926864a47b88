import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { nameProvider, PAYMENT_TONES } from '@/components/payments/payment-words'
import { ActionForm } from '@/components/ui/action-form'
import { TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { listUsernames } from '@/lib/identity'
import type { DifferenceView } from '@/lib/payments'
import type { FormAction } from '@/lib/web'
import { CustomerLink, IdLink } from './links'

/** Differences as a list of cards, because each says what it is in a sentence and holds what can be done about it. `action` is null for whoever may only look. */
export async function DifferencesTable({
  differences,
  action,
  empty,
}: {
  differences: DifferenceView[]
  action: FormAction | null
  empty: ReactNode
}) {
  if (differences.length === 0) return <>{empty}</>
  const [say, states] = await Promise.all([getTranslations('differences'), getTranslations('payments')])
  const people = differences.flatMap(({ userId, endedBy }) => [userId ?? [], endedBy ?? []].flat())
  const names = await listUsernames(people)
  const providers = new Map(
    await Promise.all(
      [...new Set(differences.map(({ provider }) => provider))].map(
        async (each) => [each, (await nameProvider(each)).name] as const,
      ),
    ),
  )
  const amount = (micros: bigint | null, currency: string) =>
    micros === null ? '–' : <Money micros={micros} currency={currency} />
  return (
    <ul aria-label={say('caption')} className="flex flex-col gap-3">
      {differences.map((each) => (
        <li key={each.id} className="rounded-md border bg-surface p-4">
          <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2">
            <h3 className="flex flex-wrap items-center gap-2 text-sm font-semibold">
              <Status tone={each.state === 'open' ? 'warning' : 'neutral'}>{say(`kind_${each.kind}`)}</Status>
              {providers.get(each.provider)}
            </h3>
            <p className="flex flex-wrap gap-x-4 text-sm tabular-nums">
              <span>
                <span className="text-muted">{say('their')}: </span>
                {amount(each.theirMicros, each.currency)}
              </span>
              <span>
                <span className="text-muted">{say('our')}: </span>
                {amount(each.ourMicros, each.currency)}
              </span>
            </p>
          </div>
          <p className="mt-2 text-sm">
            {each.paymentId === null ? say('say_foreign') : say(`say_${each.kind}`)} {each.isTest && say('say_test')}
          </p>
          <p className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted">
            <Code>{each.providerPaymentId}</Code>
            {each.paymentId !== null && <IdLink href={`/admin/payments/${each.paymentId}`} id={each.paymentId} />}
            {each.paymentState !== null && (
              <Status tone={PAYMENT_TONES[each.paymentState]}>{states(`state_${each.paymentState}`)}</Status>
            )}
            {each.userId !== null && <CustomerLink userId={each.userId} names={names} />}
            <span>
              {say('found')} <ExactTime at={each.foundAt} />
            </span>
          </p>
          {each.endedAt !== null && each.state !== 'open' && (
            <p className="mt-2 text-sm">
              {say(`how_${each.state}`)} <ExactTime at={each.endedAt} />,{' '}
              {each.endedBy === null
                ? say('byItself')
                : say('byPerson', { name: names.get(each.endedBy) ?? each.endedBy })}
              {each.note !== null && <span className="block text-muted">{each.note}</span>}
            </p>
          )}
          {action && (
            <details className="mt-3 border-t pt-3">
              <summary className="cursor-pointer text-sm text-accent">{say('act')}</summary>
              <ActionForm action={action} className="mt-3 flex max-w-xl flex-col gap-4">
                <input type="hidden" name="differenceId" value={each.id} />
                <TextField name="reason" label={say('reason')} help={say('reasonHelp')} maxLength={500} required />
                <dl className="grid gap-3 text-sm">
                  <Choice value="ask_again" label={say('askAgain')} help={say('askAgainHelp')} isFirst />
                  {each.kind !== 'theirs_only' && (
                    <Choice value="correct" label={say('correct')} help={say('correctHelp')} />
                  )}
                  <Choice value="dismiss" label={say('dismiss')} help={say('dismissHelp')} />
                </dl>
              </ActionForm>
            </details>
          )}
        </li>
      ))}
    </ul>
  )
}

/** A button with what it does beside it. */
function Choice({ value, label, help, isFirst }: { value: string; label: string; help: string; isFirst?: boolean }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <dt>
        <SubmitButton name="decision" value={value} variant={isFirst ? undefined : 'secondary'}>
          {label}
        </SubmitButton>
      </dt>
      <dd className="min-w-0 flex-1 basis-60 text-muted">{help}</dd>
    </div>
  )
}
