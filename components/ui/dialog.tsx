'use client'

import { type ReactNode, useId, useRef } from 'react'
import { type ButtonSize, buttonStyles, type ButtonVariant } from './button-styles'

/**
 * A question over the page, in the browser's own dialog: it keeps the focus inside, closes on Escape and gives the focus back. `children` hold the answer's
 * form; the way out is always there.
 */
export function Dialog({
  trigger,
  title,
  children,
  closeText,
  variant = 'secondary',
  size = 'md',
}: {
  trigger: ReactNode
  title: ReactNode
  children: ReactNode
  closeText: string
  variant?: ButtonVariant
  size?: ButtonSize
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  return (
    <>
      <button type="button" className={buttonStyles({ variant, size })} onClick={() => dialog.current?.showModal()}>
        {trigger}
      </button>
      <dialog
        ref={dialog}
        aria-labelledby={titleId}
        className="m-auto w-[calc(100%-2rem)] max-w-lg rounded-md border bg-surface p-6 text-text"
        onClick={(event) => event.target === dialog.current && dialog.current.close()}
      >
        <div className="mb-4 flex items-start justify-between gap-4">
          <h2 id={titleId} className="text-lg font-semibold">
            {title}
          </h2>
          <button
            type="button"
            className={buttonStyles({ variant: 'quiet', size: 'sm' })}
            onClick={() => dialog.current?.close()}
          >
            {closeText}
          </button>
        </div>
        {children}
      </dialog>
    </>
  )
}
