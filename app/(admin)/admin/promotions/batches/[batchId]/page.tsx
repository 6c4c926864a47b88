import type { Metadata } from 'next'
import { getFormatter, getLocale, getNow, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { BatchStatus } from '@/components/admin/promotion-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Button } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { formatMoney } from '@/lib/kit'
import { findBatch } from '@/lib/promotions'
import { requireAdmin } from '@/lib/web'
import { createBatchAction, withdrawBatchAction } from '../../actions'

type Props = { params: Promise<{ batchId: string }> }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('promotions'))('batches') }
}

/** A batch of vouchers, or with the id `new` an empty form for one. */
export default async function AdminVoucherBatchPage({ params }: Props) {
  await requireAdmin('promotions.write')
  const { batchId } = await params
  const batch = batchId === 'new' ? null : await findBatch(batchId)
  if (!batch && batchId !== 'new') notFound()
  const [say, locale, now, format] = await Promise.all([
    getTranslations('promotions'),
    getLocale(),
    getNow(),
    getFormatter(),
  ])
  const back = (
    <Link href="/admin/promotions" className="text-accent underline">
      {say('backToList')}
    </Link>
  )
  if (!batch)
    return (
      <>
        <PageHeader back={back} title={say('newBatch')} lead={say('newBatchLead')} />
        <Card className="max-w-2xl">
          <ActionForm action={createBatchAction} className="flex flex-col gap-4">
            <TextField name="label" label={say('label')} help={say('labelHelp')} maxLength={120} required />
            <TextField
              name="amountMicros"
              label={say('each_amount', { currency: env().SHOP_CURRENCY })}
              help={say('eachHelp')}
              inputMode="decimal"
              required
            />
            <TextField name="count" label={say('count')} help={say('countHelp')} inputMode="numeric" required />
            <TextField name="endsAt" type="datetime-local" label={say('endsAt')} help={say('momentHelp')} />
            <SubmitButton className="self-start">{say('saveBatch')}</SubmitButton>
          </ActionForm>
        </Card>
      </>
    )
  const unused = batch.count - batch.redeemed
  const amount = formatMoney(batch.amountMicros, batch.currency, locale)
  return (
    <>
      <PageHeader
        back={back}
        title={say('batchTitle', { label: batch.label })}
        lead={say('batchLead', { count: batch.count, amount, redeemed: batch.redeemed })}
        action={<BatchStatus batch={batch} now={now} />}
      />
      <div className="flex max-w-2xl flex-col gap-6">
        {batch.withdrawnAt && <Alert tone="info">{say('batchWithdrawn', { unused })}</Alert>}
        {batch.madeAt ? (
          <Card title={say('madeTitle')}>
            <p>
              {say('madeText', {
                date: format.dateTime(batch.madeAt, { dateStyle: 'medium', timeStyle: 'short' }),
              })}
            </p>
          </Card>
        ) : (
          !batch.withdrawnAt && (
            <Card title={say('makeTitle')} lead={say('makeLead')}>
              <form method="post" action={`/admin/promotions/batches/${batch.id}/codes`}>
                <Button type="submit">{say('make', { count: batch.count })}</Button>
              </form>
            </Card>
          )
        )}
        {!batch.withdrawnAt && unused > 0 && (
          <Card title={say('withdrawTitle')} lead={say('withdrawLead', { unused })}>
            <ActionForm action={withdrawBatchAction}>
              <input type="hidden" name="batchId" value={batch.id} />
              <SubmitButton variant="danger">{say('withdraw', { unused })}</SubmitButton>
            </ActionForm>
          </Card>
        )}
      </div>
    </>
  )
}
