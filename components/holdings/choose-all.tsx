'use client'

import { useEffect, useRef, useState } from 'react'
import { buttonStyles } from '@/components/ui/button-styles'
import { fillText } from '@/components/ui/fill-text'

const boxesOf = (form: HTMLFormElement | null | undefined) => [
  ...(form?.querySelectorAll<HTMLInputElement>('input[type=checkbox][name=ids]') ?? []),
]

/** Ticks every box of its form, or none, and says how many are ticked. Without script the boxes work alone. */
export function ChooseAll({ texts }: { texts: { all: string; none: string; chosen: string } }) {
  const button = useRef<HTMLButtonElement>(null)
  const [chosen, setChosen] = useState(0)
  useEffect(() => {
    const form = button.current?.form
    const count = () => setChosen(boxesOf(form).filter((box) => box.checked).length)
    count()
    form?.addEventListener('change', count)
    return () => form?.removeEventListener('change', count)
  }, [])
  return (
    <>
      <button
        ref={button}
        type="button"
        className={buttonStyles({ variant: 'quiet', size: 'sm' })}
        onClick={() => {
          for (const box of boxesOf(button.current?.form)) box.checked = chosen === 0
          button.current?.form?.dispatchEvent(new Event('change', { bubbles: true }))
        }}
      >
        {chosen === 0 ? texts.all : texts.none}
      </button>
      <span aria-live="polite" className="text-muted tabular-nums">
        {fillText(texts.chosen, { count: String(chosen) })}
      </span>
    </>
  )
}
