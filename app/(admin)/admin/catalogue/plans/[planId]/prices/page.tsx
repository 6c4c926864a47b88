import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { PastChangesCard, PlannedChangesCard } from '@/components/admin/price-changes'
import { CostsCard, PriceRuleCard } from '@/components/admin/price-rule'
import { ButtonLink } from '@/components/ui/button'
import { PageHeader } from '@/components/ui/page-header'
import { findPlan } from '@/lib/catalog'
import { findPriceRule, listCosts, listPastChanges, listPlannedChanges, previewPriceRule } from '@/lib/prices'
import { requireAdmin } from '@/lib/web'
import {
  planChangeAction,
  saveCostsAction,
  savePriceRuleAction,
  switchPriceRuleAction,
  withdrawChangeAction,
} from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('prices'))('title') }
}

/** How the prices of a plan change: planned moments, and what became of earlier ones. */
export default async function PlanPricesPage({ params }: { params: Promise<{ planId: string }> }) {
  await requireAdmin('catalog.write')
  const { planId } = await params
  const [say, found, planned, past, rule, preview, costs] = await Promise.all([
    getTranslations('prices'),
    findPlan(planId, { fresh: true }),
    listPlannedChanges({ planId }),
    listPastChanges({ planId }),
    findPriceRule({ planId }),
    previewPriceRule({ planId }),
    listCosts({ planId }),
  ])
  if (!found) notFound()
  const { plan } = found
  return (
    <>
      <PageHeader
        back={
          <Link href={`/admin/catalogue/plans/${planId}`} className="text-accent underline">
            {plan.nameEn}
          </Link>
        }
        title={say('title')}
        lead={say('lead')}
        action={
          <ButtonLink href={`/admin/catalogue/simulator?plan=${planId}`} variant="secondary">
            {say('simulator')}
          </ButtonLink>
        }
      />
      <div className="flex max-w-3xl flex-col gap-6">
        <PlannedChangesCard
          plan={plan}
          changes={planned}
          isRuleOn={rule?.isActive ?? false}
          actions={{ plan: planChangeAction, withdraw: withdrawChangeAction }}
        />
        <PriceRuleCard
          plan={plan}
          rule={rule}
          preview={preview}
          actions={{ save: savePriceRuleAction, turn: switchPriceRuleAction }}
        />
        <CostsCard plan={plan} costs={costs} action={saveCostsAction} />
        <PastChangesCard changes={past} />
      </div>
    </>
  )
}
