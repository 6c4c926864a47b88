import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { CustomerLink, IdLink } from '@/components/admin/links'
import { brandOfSupplier } from '@/components/admin/supplier-words'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { SelectField, TextAreaField, TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, Facts } from '@/components/ui/table'
import { ExactTime, RelativeTime } from '@/components/ui/time'
import { listUsernames } from '@/lib/identity'
import { listUnknownOutcomes, supplyRules, type UnknownOutcome } from '@/lib/provisioning'
import { type LateExchange, listLateExchanges } from '@/lib/remedies'
import { requireAdmin } from '@/lib/web'
import {
  askRenewalAction,
  askSupplierAction,
  decideDeliveryAction,
  decideRenewalRunAction,
  settleLateExchangeAction,
} from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSuppliers'))('unknownTitle') }
}

/** Everything that is known of each purchase and renewal whose end is open, and what a person may do about it. */
export default async function UnknownOutcomesPage() {
  await requireAdmin('suppliers.write')
  const [say, outcomes, late, rules] = await Promise.all([
    getTranslations('adminSuppliers'),
    listUnknownOutcomes(),
    listLateExchanges(),
    supplyRules.readFresh(),
  ])
  const names = await listUsernames([...new Set([...outcomes, ...late].map(({ userId }) => userId))])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/suppliers" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={say('unknownTitle')}
        lead={say('unknownLead', { count: outcomes.length })}
      />
      {outcomes.length === 0 ? (
        <EmptyState title={say('unknownLead', { count: 0 })}>
          {say('unknownEmpty', { minutes: rules.unknownAfterMinutes })}
        </EmptyState>
      ) : (
        <ul className="flex flex-col gap-6">
          {outcomes.map((outcome) => (
            <li key={outcome.id}>
              <OutcomeCard outcome={outcome} names={names} />
            </li>
          ))}
        </ul>
      )}
      {late.length > 0 && (
        <section aria-labelledby="late" className="mt-8 flex flex-col gap-6">
          <div>
            <h2 id="late" className="text-xl font-semibold">
              {say('lateTitle')}
            </h2>
            <p className="text-muted">{say('lateLead', { count: late.length })}</p>
          </div>
          {late.map((exchange) => (
            <LateCard key={exchange.id} exchange={exchange} names={names} />
          ))}
        </section>
      )}
    </>
  )
}

async function LateCard({ exchange, names }: { exchange: LateExchange; names: Map<string, string> }) {
  const [say, name] = await Promise.all([getTranslations('adminSuppliers'), brandOfSupplier(exchange.supplier)])
  return (
    <Card title={say('lateAt', { name })}>
      <div className="grid gap-6 lg:grid-cols-2">
        <Facts
          facts={[
            [say('latePlace'), <Code key="late">{exchange.latePlace}</Code>],
            [say('lateOld'), <Code key="old">{exchange.oldPlace}</Code>],
            [say('lateInstead'), say(`lateInstead_${exchange.state}`)],
            [say('lateSince'), <ExactTime key="since" at={exchange.endedAt} />],
            [say('lateUntil'), <ExactTime key="until" at={exchange.expiresAt} />],
            [say('lateCountry'), exchange.countryCode],
            [say('theirOrder'), exchange.supplierOrderId ? <Code key="theirs">{exchange.supplierOrderId}</Code> : '–'],
            [say('order'), <IdLink key="order" href={`/admin/orders/${exchange.orderId}`} id={exchange.orderId} />],
            [say('customer'), <CustomerLink key="customer" userId={exchange.userId} names={names} />],
          ]}
        />
        <ActionForm action={settleLateExchangeAction} className="flex flex-col gap-3">
          <input type="hidden" name="replacementId" value={exchange.id} />
          <TextField name="reason" label={say('lateReason')} help={say('lateReasonHelp')} required maxLength={500} />
          <SubmitButton variant="secondary" className="self-start">
            {say('lateSettle')}
          </SubmitButton>
        </ActionForm>
      </div>
    </Card>
  )
}

async function OutcomeCard({ outcome, names }: { outcome: UnknownOutcome; names: Map<string, string> }) {
  const [say, name] = await Promise.all([getTranslations('adminSuppliers'), brandOfSupplier(outcome.supplier)])
  const { kind, attempts, maxAttempts, nextAt } = outcome
  return (
    <Card title={say(kind === 'delivery' ? 'purchaseAt' : 'renewalAt', { name })}>
      <div className="grid gap-6 lg:grid-cols-2">
        <Facts
          facts={[
            [say('order'), <IdLink key="order" href={`/admin/orders/${outcome.orderId}`} id={outcome.orderId} />],
            [say('customer'), <CustomerLink key="customer" userId={outcome.userId} names={names} />],
            [
              say('sent'),
              say('sentWhat', { quantity: outcome.quantity, country: outcome.countryCode, days: outcome.periodDays }),
            ],
            [say('sentAt'), <ExactTime key="sent" at={outcome.startedAt} />],
            [say('reference'), <Code key="reference">{outcome.reference}</Code>],
            [say('theirOrder'), outcome.supplierOrderId ? <Code key="theirs">{outcome.supplierOrderId}</Code> : '–'],
            [say('held'), <Money key="held" micros={outcome.totalMicros} currency={outcome.currency} />],
            [say('lookups'), String(outcome.lookups)],
            [
              say('job'),
              attempts === null || maxAttempts === null ? (
                say('jobNone')
              ) : (
                <span key="job">
                  {say('jobState', { attempts, max: maxAttempts })},{' '}
                  {nextAt ? say.rich('nextAt', { time: () => <RelativeTime at={nextAt} /> }) : say('givenUp')}
                </span>
              ),
            ],
            [
              say('lastWords'),
              outcome.lastError ? (
                <span key="words" className="break-words">
                  {outcome.lastError}
                </span>
              ) : (
                '–'
              ),
            ],
          ]}
        />
        <div className="flex flex-col gap-4">
          {kind === 'delivery' ? (
            <ActionForm action={askSupplierAction}>
              <input type="hidden" name="deliveryId" value={outcome.id} />
              <SubmitButton>{say('askNow')}</SubmitButton>
            </ActionForm>
          ) : (
            <ActionForm action={askRenewalAction}>
              <input type="hidden" name="renewalId" value={outcome.renewalId!} />
              <SubmitButton>{say('askNow')}</SubmitButton>
            </ActionForm>
          )}
          {kind === 'delivery' ? <DecideDelivery deliveryId={outcome.id} /> : <DecideRenewal runId={outcome.id} />}
        </div>
      </div>
    </Card>
  )
}

async function DecideDelivery({ deliveryId }: { deliveryId: string }) {
  const say = await getTranslations('adminSuppliers')
  return (
    <>
      <details className="rounded-md border p-3">
        <summary className="cursor-pointer font-medium">{say('bought')}</summary>
        <p className="my-3 text-sm text-muted">{say('boughtHelp')}</p>
        <ActionForm action={decideDeliveryAction} className="flex flex-col gap-3">
          <input type="hidden" name="deliveryId" value={deliveryId} />
          <input type="hidden" name="decision" value="bought" />
          <TextField name="supplierOrderId" label={say('theirOrderField')} help={say('optional')} autoComplete="off" />
          <TextAreaField
            name="proxies"
            label={say('proxiesField')}
            help={say('proxiesHelp')}
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
          />
          <TextField name="reason" label={say('reason')} help={say('reasonHelp')} required maxLength={500} />
          <SubmitButton variant="secondary" className="self-start">
            {say('handOver')}
          </SubmitButton>
        </ActionForm>
      </details>
      <details className="rounded-md border p-3">
        <summary className="cursor-pointer font-medium">{say('notBought')}</summary>
        <p className="my-3 text-sm text-muted">{say('notBoughtHelp')}</p>
        <ActionForm action={decideDeliveryAction} className="flex flex-col gap-3">
          <input type="hidden" name="deliveryId" value={deliveryId} />
          <SelectField name="decision" label={say('then')} defaultValue="give_back">
            <option value="give_back">{say('giveBack')}</option>
            <option value="try_again">{say('tryAgain')}</option>
          </SelectField>
          <TextField name="reason" label={say('reason')} help={say('reasonHelp')} required maxLength={500} />
          <SubmitButton variant="danger" className="self-start">
            {say('confirm')}
          </SubmitButton>
        </ActionForm>
      </details>
    </>
  )
}

async function DecideRenewal({ runId }: { runId: string }) {
  const say = await getTranslations('adminSuppliers')
  return (
    <details className="rounded-md border p-3">
      <summary className="cursor-pointer font-medium">{say('decide')}</summary>
      <ActionForm action={decideRenewalRunAction} className="mt-3 flex flex-col gap-3">
        <input type="hidden" name="runId" value={runId} />
        <SelectField name="decision" label={say('renewedDecision')} defaultValue="renewed">
          <option value="renewed">{say('renewed')}</option>
          <option value="not_renewed">{say('notRenewed')}</option>
        </SelectField>
        <TextField name="reason" label={say('reason')} help={say('reasonHelp')} required maxLength={500} />
        <SubmitButton variant="danger" className="self-start">
          {say('confirm')}
        </SubmitButton>
      </ActionForm>
    </details>
  )
}
