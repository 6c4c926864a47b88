import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { BulkChoice } from '@/components/holdings/bulk-choice'
import { PreviewTable, ResultTable } from '@/components/holdings/bulk-tables'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Button, ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { Facts } from '@/components/ui/table'
import { isBulkName, previewBulk } from '@/lib/holdings'
import { amountText, ceilToCents, formatMoney } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { requireUser, sayRefusal } from '@/lib/web'
import { confirmAction } from '../../actions'

type Props = { params: Promise<{ selectionId: string }>; searchParams: SearchParams }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('proxies'))('selectionTitle') }
}

/** What would happen to the chosen proxies, in `?do=`; and what has happened, once it was confirmed. */
export default async function SelectionPage({ params, searchParams }: Props) {
  const user = await requireUser()
  const { selectionId } = await params
  const { do: asked, done: _done, ...rest } = await searchParams
  const action = oneOf(asked)
  if (!isBulkName(action)) notFound()
  const typed = Object.fromEntries(
    Object.entries(rest).flatMap(([name, value]) => (oneOf(value) === undefined ? [] : [[name, oneOf(value)!]])),
  )
  const [say, locale, found, balance] = await Promise.all([
    getTranslations('proxies'),
    getLocale(),
    previewBulk(user, { selectionId, action, typed }),
    getBalance({ userId: user.id }),
  ])
  if (!found.ok) notFound()
  const preview = found.value
  const { currency } = balance
  const money = (micros: bigint) => formatMoney(micros, currency, locale)
  const missing = preview.paysMicros + balance.owedMicros - balance.balanceMicros
  const isShort = preview.paysMicros > 0n && missing > 0n
  const isOpen = preview.parts.length > 0 || preview.refusal !== null
  const count = preview.parts
    .filter((part) => part.shown !== '')
    .flatMap((part) => part.lines)
    .filter((line) => line.kind !== 'left_out' && line.kind !== 'refused')
    .reduce((sum, line) => sum + line.count, 0)
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/proxies" className="text-accent underline">
            {say('allProxies')}
          </Link>
        }
        title={say(`heading_${action}`, { count: preview.count })}
        lead={isOpen ? say(`lead_${action}`) : say('allDone')}
      />
      <div className="flex flex-col gap-6">
        {preview.results.length > 0 && (
          <Card title={say('results')}>
            <div role="status" className="flex flex-col gap-3">
              <p>
                {say('resultCounts', {
                  done: preview.results.filter((result) => result.isDone).length,
                  refused: preview.results.filter((result) => !result.isDone).length,
                })}
              </p>
              <ResultTable results={preview.results} currency={currency} />
            </div>
          </Card>
        )}
        {isOpen && (
          <Card title={say(preview.results.length > 0 ? 'stillOpen' : 'preview')} lead={say('previewLead')}>
            <div className="flex flex-col gap-4">
              {action !== 'give-back' && action !== 'rotate' && (
                <form className="flex flex-wrap items-end gap-3">
                  <input type="hidden" name="do" value={action} />
                  <BulkChoice action={action} typed={typed} periods={preview.periods} />
                  <Button type="submit" variant="secondary">
                    {say('showPreview')}
                  </Button>
                </form>
              )}
              {preview.refusal && <Alert tone="bad">{sayRefusal(preview.refusal, locale)}</Alert>}
              {preview.parts.some((part) => part.lines.length > 0) && (
                <PreviewTable parts={preview.parts} currency={currency} />
              )}
              {preview.left > 0 && <p className="text-muted">{say('ordersLeft', { count: preview.left })}</p>}
              {(preview.paysMicros > 0n || preview.givesMicros > 0n) && (
                <Facts
                  facts={[
                    preview.paysMicros > 0n
                      ? [say('totalPays'), <strong key="sum">{money(preview.paysMicros)}</strong>]
                      : [say('totalGives'), <strong key="sum">{money(preview.givesMicros)}</strong>],
                    [say('balanceNow'), money(balance.balanceMicros)],
                    ...(isShort
                      ? []
                      : [
                          [
                            say('balanceAfter'),
                            money(balance.balanceMicros + preview.givesMicros - preview.paysMicros),
                          ] satisfies [string, string],
                        ]),
                  ]}
                />
              )}
              {isShort ? (
                <Alert tone="warning" title={say('missing', { amount: money(missing) })}>
                  <p>{say('missingHelp')}</p>
                  <ButtonLink href={`/account/top-up?amount=${amountText(ceilToCents(missing))}`} className="mt-2">
                    {say('topUp')}
                  </ButtonLink>
                </Alert>
              ) : preview.shown === '' ? (
                preview.refusal === null &&
                action !== 'retag' &&
                action !== 'bind' && <Alert>{say('nothingToDo')}</Alert>
              ) : (
                <ActionForm action={confirmAction} className="flex flex-wrap items-center gap-3">
                  <input type="hidden" name="selectionId" value={preview.selectionId} />
                  <input type="hidden" name="do" value={action} />
                  <input type="hidden" name="shown" value={preview.shown} />
                  {Object.entries(typed).map(([name, value]) => (
                    <input key={name} type="hidden" name={name} value={value} />
                  ))}
                  <SubmitButton variant={action === 'give-back' ? 'danger' : 'primary'}>
                    {say(`confirm_${action}`, {
                      count,
                      amount: money(preview.paysMicros + preview.givesMicros),
                    })}
                  </SubmitButton>
                  <ButtonLink href="/account/proxies" variant="quiet">
                    {say('leaveIt')}
                  </ButtonLink>
                </ActionForm>
              )}
            </div>
          </Card>
        )}
      </div>
    </>
  )
}
