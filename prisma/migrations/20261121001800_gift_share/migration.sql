-- A balance knows how much of it did not come from outside: bonuses, vouchers, moved rewards, credits for downtime, corrections by hand. Such gifts
-- are spent first, and never leave through a payment's refund; a reward is due only on what they did not pay (docs/decisions/0025).
ALTER TABLE ledger_accounts ADD COLUMN "gift_micros" BIGINT NOT NULL DEFAULT 0,
  ADD CONSTRAINT gift_is_part_of_balance CHECK (gift_micros >= 0 AND (gift_micros = 0 OR kind = 'customer_balance') AND (gift_micros = 0 OR gift_micros <= balance_micros)),
  DROP CONSTRAINT guarded_stays_on_its_side,
  ADD CONSTRAINT guarded_stays_on_its_side CHECK (
    NOT is_guarded OR CASE WHEN kind IN ('customer_debt', 'referral_debt') THEN balance_micros <= 0 ELSE balance_micros >= 0 END);
ALTER TABLE ledger_entries ADD COLUMN "gift_micros" BIGINT,
  ADD CONSTRAINT gift_is_part_of_amount CHECK (gift_micros IS NULL OR (account_version > 0 AND abs(gift_micros) <= abs(amount_micros) AND sign(gift_micros) IN (0, sign(amount_micros))));
ALTER TABLE ledger_holds ADD COLUMN "gift_micros" BIGINT NOT NULL DEFAULT 0, ADD COLUMN "captured_gift_micros" BIGINT NOT NULL DEFAULT 0,
  ADD CONSTRAINT gift_is_part_of_hold CHECK (gift_micros BETWEEN 0 AND amount_micros AND captured_gift_micros BETWEEN 0 AND least(gift_micros, captured_micros));
ALTER TABLE order_credits ADD COLUMN "gift_micros" BIGINT NOT NULL DEFAULT 0,
  ADD CONSTRAINT gift_is_part_of_credit CHECK (gift_micros BETWEEN 0 AND amount_micros);

-- One more guarded pair: what is owed to a referrer, and what a referrer owes (a reward that was paid out and then reverted).
CREATE OR REPLACE FUNCTION ledger_account(p_owner text, p_kind text, p_currency text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_id text;
BEGIN
  SELECT id INTO v_id FROM ledger_accounts WHERE owner = p_owner AND kind = p_kind AND currency = p_currency;
  IF v_id IS NULL THEN
    INSERT INTO ledger_accounts (id, owner, kind, currency, is_guarded)
    VALUES (new_id('acc'), p_owner, p_kind, p_currency, p_kind IN ('customer_balance', 'customer_debt', 'referral_payable', 'referral_debt'))
    ON CONFLICT (owner, kind, currency) DO NOTHING;
    -- whoever won the race has committed by now: the conflict waited for it
    SELECT id INTO v_id FROM ledger_accounts WHERE owner = p_owner AND kind = p_kind AND currency = p_currency;
  END IF;
  RETURN v_id;
END $$;

-- As before, and: `gift` is how much of the amount was or becomes a gift on a customer's balance (null where none is touched). p_gift says it for money
-- that returns and for a gift that is taken back; without it, only what comes from a provider is from outside.
DROP FUNCTION ledger_post(text, text, text, bigint, text, text, text, text, timestamptz);
CREATE FUNCTION ledger_post(
  p_key text, p_from text, p_to text, p_amount bigint, p_currency text, p_source_kind text, p_source_id text,
  p_reverses text, p_happened_at timestamptz, p_gift bigint DEFAULT NULL,
  OUT outcome text, OUT transfer_id text, OUT from_balance bigint, OUT to_balance bigint, OUT gift bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_account record; v_old record; v_from_guarded boolean; v_to_guarded boolean; v_from_version bigint; v_to_version bigint;
  v_may_fall boolean := false; v_is_debt_paid boolean := false; v_from_gift bigint; v_spendable bigint; v_is_spent boolean := false; v_is_given boolean := false; v_other text;
BEGIN
  -- Without FOR UPDATE's strength: foreign keys of new entries take KEY SHARE on these rows.
  FOR v_account IN
    SELECT id, kind, currency, is_guarded, balance_micros, version, gift_micros FROM ledger_accounts WHERE id IN (p_from, p_to) AND is_guarded
    ORDER BY id FOR NO KEY UPDATE
  LOOP
    IF v_account.currency <> p_currency THEN RAISE EXCEPTION 'account % is not kept in %', v_account.id, p_currency; END IF;
    IF v_account.id = p_from THEN
      v_from_guarded := true; from_balance := v_account.balance_micros; v_from_version := v_account.version;
      v_may_fall := v_account.kind IN ('customer_debt', 'referral_debt');
      v_is_spent := v_account.kind = 'customer_balance'; v_from_gift := v_account.gift_micros;
    ELSE
      v_to_guarded := true; to_balance := v_account.balance_micros; v_to_version := v_account.version;
      v_is_debt_paid := v_account.kind IN ('customer_debt', 'referral_debt');
      v_is_given := v_account.kind = 'customer_balance';
    END IF;
  END LOOP;
  v_spendable := from_balance;
  -- Purchases take gifts first. Everything else takes money from outside first, and what returns to a payment's source takes nothing else.
  IF v_is_spent THEN
    -- At least what outside money does not cover; more where gifts go first, or where the caller says how much of it is one.
    gift := greatest(0, p_amount - (from_balance - v_from_gift));
    IF p_gift IS NOT NULL OR p_source_kind = 'order' THEN
      gift := greatest(gift, least(v_from_gift, p_amount, coalesce(p_gift, p_amount)));
    ELSE
      SELECT a.kind INTO v_other FROM ledger_accounts a WHERE a.id = p_to;
      IF v_other = 'refunds_pending' THEN v_spendable := from_balance - v_from_gift; END IF;
    END IF;
  ELSIF v_is_given THEN
    gift := p_gift;
    IF gift IS NULL THEN
      SELECT a.kind INTO v_other FROM ledger_accounts a WHERE a.id = p_from;
      gift := CASE WHEN v_other = 'refunds_pending' OR v_other LIKE 'provider\_clearing:%' THEN 0 ELSE p_amount END;
    END IF;
  END IF;

  transfer_id := new_id('trf');
  -- The key is looked up after the lock, so that of two equal postings at once the second sees the first. Postings that share a key but no
  -- guarded account stand in no line: there the unique key makes the second wait, insert nothing, and look again.
  LOOP
    SELECT t.id, t.from_account_id, t.to_account_id, t.amount_micros, t.currency, t.source_kind, t.source_id INTO v_old
    FROM ledger_transfers t WHERE t.key = p_key;
    IF FOUND THEN
      transfer_id := v_old.id;
      outcome := CASE WHEN (v_old.from_account_id, v_old.to_account_id, v_old.amount_micros, v_old.currency, v_old.source_kind, v_old.source_id)
        = (p_from, p_to, p_amount, p_currency, p_source_kind, p_source_id) THEN 'repeated' ELSE 'key_reused' END;
      RETURN;
    END IF;
    IF v_from_guarded AND NOT v_may_fall AND v_spendable < p_amount THEN
      transfer_id := NULL;
      outcome := 'insufficient_balance';
      RETURN;
    END IF;
    IF v_is_debt_paid AND to_balance + p_amount > 0 THEN
      transfer_id := NULL;
      outcome := 'more_than_owed';
      RETURN;
    END IF;
    INSERT INTO ledger_transfers (id, key, from_account_id, to_account_id, amount_micros, currency, source_kind, source_id, reverses_transfer_id, happened_at)
    VALUES (transfer_id, p_key, p_from, p_to, p_amount, p_currency, p_source_kind, p_source_id, p_reverses, p_happened_at)
    ON CONFLICT (key) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  INSERT INTO ledger_entries (transfer_id, account_id, amount_micros, balance_before_micros, balance_after_micros, account_version, gift_micros) VALUES
    (transfer_id, p_from, -p_amount, CASE WHEN v_from_guarded THEN from_balance END, CASE WHEN v_from_guarded THEN from_balance - p_amount END, v_from_version + 1,
     CASE WHEN v_is_spent THEN -gift END),
    (transfer_id, p_to, p_amount, CASE WHEN v_to_guarded THEN to_balance END, CASE WHEN v_to_guarded THEN to_balance + p_amount END, v_to_version + 1,
     CASE WHEN v_is_given THEN gift END);
  IF v_from_guarded THEN
    UPDATE ledger_accounts SET balance_micros = balance_micros - p_amount, version = version + 1, gift_micros = gift_micros - CASE WHEN v_is_spent THEN gift ELSE 0 END WHERE id = p_from;
    from_balance := from_balance - p_amount;
  END IF;
  IF v_to_guarded THEN
    UPDATE ledger_accounts SET balance_micros = balance_micros + p_amount, version = version + 1, gift_micros = gift_micros + CASE WHEN v_is_given THEN gift ELSE 0 END WHERE id = p_to;
    to_balance := to_balance + p_amount;
  END IF;
  outcome := 'posted';
END $$;

-- As before; what returns is as much of a gift as it was.
CREATE OR REPLACE FUNCTION ledger_reverse(p_key text, p_transfer_id text, p_happened_at timestamptz, OUT outcome text, OUT transfer_id text)
LANGUAGE plpgsql AS $$
DECLARE v_old ledger_transfers; v_other text; v_gift bigint;
BEGIN
  SELECT * INTO v_old FROM ledger_transfers t WHERE t.id = p_transfer_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT t.id INTO v_other FROM ledger_transfers t WHERE t.reverses_transfer_id = p_transfer_id AND t.key <> p_key;
  IF FOUND THEN outcome := 'already_reversed'; transfer_id := v_other; RETURN; END IF;
  SELECT -e.gift_micros INTO v_gift FROM ledger_entries e WHERE e.transfer_id = v_old.id AND e.account_id = v_old.from_account_id;
  SELECT p.outcome, p.transfer_id INTO outcome, transfer_id
  FROM ledger_post(p_key, v_old.to_account_id, v_old.from_account_id, v_old.amount_micros, v_old.currency, 'transfer', v_old.id, v_old.id, p_happened_at, v_gift) p;
END $$;

CREATE OR REPLACE FUNCTION ledger_hold(p_hold_id text, p_account text, p_amount bigint, p_currency text, p_source_kind text, p_happened_at timestamptz,
  OUT outcome text, OUT balance bigint) LANGUAGE plpgsql AS $$
DECLARE v_gift bigint;
BEGIN
  SELECT p.outcome, p.from_balance, p.gift INTO outcome, balance, v_gift
  FROM ledger_post('hold:' || p_hold_id, p_account, ledger_account('shop', 'held_for_orders', p_currency), p_amount, p_currency,
                   p_source_kind, p_hold_id, NULL, p_happened_at) p;
  IF outcome = 'posted' THEN
    INSERT INTO ledger_holds (id, account_id, currency, amount_micros, gift_micros) VALUES (p_hold_id, p_account, p_currency, p_amount, v_gift);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger_settle_hold(p_hold_id text, p_captured bigint, p_capture_to text, p_source_kind text, p_happened_at timestamptz,
  OUT outcome text, OUT captured bigint, OUT released bigint, OUT balance bigint) LANGUAGE plpgsql AS $$
DECLARE v_hold ledger_holds; v_held text; v_part text; v_gift bigint;
BEGIN
  SELECT * INTO v_hold FROM ledger_holds h WHERE h.id = p_hold_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  released := v_hold.amount_micros - v_hold.captured_micros - v_hold.released_micros - p_captured;
  captured := p_captured;
  IF v_hold.captured_micros + v_hold.released_micros = v_hold.amount_micros THEN
    outcome := 'repeated'; captured := v_hold.captured_micros; released := v_hold.released_micros; RETURN;
  END IF;
  IF p_captured < 0 OR released < 0 THEN outcome := 'more_than_held'; RETURN; END IF;
  v_held := ledger_account('shop', 'held_for_orders', v_hold.currency);
  -- What is paid takes the gifts of the hold first; what returns is as much of a gift as is left of them.
  v_gift := least(v_hold.gift_micros - v_hold.captured_gift_micros, captured);
  UPDATE ledger_holds SET captured_micros = captured_micros + captured, released_micros = released_micros + released, captured_gift_micros = captured_gift_micros + v_gift
  WHERE id = p_hold_id;
  IF captured > 0 THEN
    SELECT p.outcome INTO v_part FROM ledger_post('capture:' || p_hold_id, v_held, ledger_account('shop', p_capture_to, v_hold.currency),
      captured, v_hold.currency, p_source_kind, p_hold_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'capture of % was %', p_hold_id, v_part; END IF;
  END IF;
  IF released > 0 THEN
    SELECT p.outcome, p.to_balance INTO v_part, balance FROM ledger_post('release:' || p_hold_id, v_held, v_hold.account_id,
      released, v_hold.currency, p_source_kind, p_hold_id, NULL, p_happened_at, v_hold.gift_micros - v_hold.captured_gift_micros - v_gift) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'release of % was %', p_hold_id, v_part; END IF;
  END IF;
  outcome := 'settled';
END $$;

-- As before, with ledger_post's p_gift.
DROP FUNCTION ledger_give(text, text, text, bigint, text, text, text, timestamptz);
CREATE FUNCTION ledger_give(p_key text, p_from text, p_owner text, p_amount bigint, p_currency text, p_source_kind text, p_source_id text,
  p_happened_at timestamptz, p_gift bigint DEFAULT NULL, OUT outcome text, OUT balance bigint, OUT debt_paid bigint) LANGUAGE plpgsql AS $$
DECLARE v_account text := ledger_account(p_owner, 'customer_balance', p_currency); v_part text;
BEGIN
  debt_paid := 0;
  SELECT p.outcome, p.to_balance INTO outcome, balance
  FROM ledger_post(p_key, p_from, v_account, p_amount, p_currency, p_source_kind, p_source_id, NULL, p_happened_at, p_gift) p;
  IF outcome <> 'posted' THEN RETURN; END IF;
  debt_paid := least(balance, ledger_debt(p_owner, p_currency));
  IF debt_paid > 0 THEN
    SELECT p.outcome, p.from_balance INTO v_part, balance FROM ledger_post('debt_paid:' || p_key, v_account,
      ledger_account(p_owner, 'customer_debt', p_currency), debt_paid, p_currency, p_source_kind, p_source_id, NULL, p_happened_at) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'debt of % was %', p_owner, v_part; END IF;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger_charge_many(p_charges jsonb, p_currency text, p_happened_at timestamptz) RETURNS TABLE (key text, outcome text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM ledger_account('shop', k.kind, p_currency) FROM (SELECT DISTINCT c ->> 'toKind' AS kind FROM jsonb_array_elements(p_charges) c) k;
  PERFORM 1 FROM ledger_accounts a WHERE a.kind = 'customer_balance' AND a.currency = p_currency
    AND a.owner IN (SELECT c ->> 'owner' FROM jsonb_array_elements(p_charges) c) ORDER BY a.id FOR NO KEY UPDATE;
  RETURN QUERY
  WITH charges AS (
    SELECT c ->> 'key' AS key, c ->> 'owner' AS owner, (c ->> 'amount')::bigint AS amount, c ->> 'toKind' AS to_kind,
           c ->> 'sourceKind' AS source_kind, c ->> 'sourceId' AS source_id, n
    FROM jsonb_array_elements(p_charges) WITH ORDINALITY AS x(c, n)
  ), judged AS (
    SELECT c.*, a.id AS account, t.id AS to_account, a.balance_micros, a.version, a.gift_micros,
           EXISTS (SELECT 1 FROM ledger_transfers f WHERE f.key = c.key) AS is_known,
           coalesce(d.balance_micros, 0) < 0 AS owes
    FROM charges c
    LEFT JOIN ledger_accounts a ON a.owner = c.owner AND a.kind = 'customer_balance' AND a.currency = p_currency
    LEFT JOIN ledger_accounts d ON d.owner = c.owner AND d.kind = 'customer_debt' AND d.currency = p_currency
    JOIN ledger_accounts t ON t.owner = 'shop' AND t.kind = c.to_kind AND t.currency = p_currency
  ), summed AS (
    SELECT j.*, sum(j.amount) OVER w AS running, row_number() OVER w AS place
    FROM judged j WHERE NOT j.is_known AND NOT j.owes AND j.account IS NOT NULL
    WINDOW w AS (PARTITION BY j.account ORDER BY j.n ROWS UNBOUNDED PRECEDING)
  ), covered AS (
    -- a customer’s gifts pay first: what of the running sum they cover, less what they covered before this charge
    SELECT s.*, new_id('trf') AS transfer, (least(s.gift_micros, s.running) - least(s.gift_micros, s.running - s.amount))::bigint AS gift FROM summed s WHERE s.running <= s.balance_micros
  ), transfers AS (
    INSERT INTO ledger_transfers (id, key, from_account_id, to_account_id, amount_micros, currency, source_kind, source_id, happened_at)
    SELECT transfer, key, account, to_account, amount, p_currency, source_kind, source_id, p_happened_at FROM covered
  ), entries AS (
    INSERT INTO ledger_entries (transfer_id, account_id, amount_micros, balance_before_micros, balance_after_micros, account_version, gift_micros)
    SELECT e.* FROM covered c, LATERAL (VALUES
      (c.transfer, c.account, -c.amount, (c.balance_micros - c.running + c.amount)::bigint, (c.balance_micros - c.running)::bigint, c.version + c.place, -c.gift),
      (c.transfer, c.to_account, c.amount, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint)) e
  ), accounts AS (
    UPDATE ledger_accounts a SET balance_micros = a.balance_micros - s.amount, version = a.version + s.places, gift_micros = a.gift_micros - s.gift
    FROM (SELECT account, sum(amount)::bigint AS amount, sum(gift)::bigint AS gift, count(*) AS places FROM covered GROUP BY account) s WHERE a.id = s.account
  )
  SELECT j.key, CASE WHEN c.key IS NOT NULL THEN 'posted' WHEN j.is_known THEN 'repeated' WHEN j.owes THEN 'in_debt' ELSE 'insufficient_balance' END
  FROM judged j LEFT JOIN covered c ON c.key = j.key;
END $$;

-- How much of what a renewal cost was paid by gifts: said by its hold, or by its one charge.
CREATE FUNCTION renewal_gift(p_renewal_id text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT h.captured_gift_micros FROM ledger_holds h WHERE h.id = p_renewal_id),
    (SELECT -e.gift_micros FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id AND e.account_id = t.from_account_id WHERE t.key = 'renewal:' || p_renewal_id), 0)
$$;

-- What an order and its renewals have cost so far and was not given back, and how much of that gifts paid. Credits for downtime count against the
-- first only: they are gifts of the shop's own.
CREATE FUNCTION order_left(p_order_id text, OUT paid bigint, OUT gift bigint) LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(x.paid), 0)::bigint, coalesce(sum(x.gift), 0)::bigint FROM (
    SELECT h.captured_micros AS paid, h.captured_gift_micros AS gift FROM ledger_holds h WHERE h.id = p_order_id
    UNION ALL SELECT r.captured_micros, renewal_gift(r.id) FROM renewals r WHERE r.order_id = p_order_id AND r.captured_micros > 0
    UNION ALL SELECT -c.amount_micros, CASE c.cause WHEN 'downtime' THEN 0 ELSE -c.gift_micros END FROM order_credits c WHERE c.order_id = p_order_id) x
$$;

-- As before, and: what goes back is as much of a gift as gifts had paid.
CREATE OR REPLACE FUNCTION credit_order(p_credit_id text, p_order_id text, p_key text, p_cause text, p_amount bigint, p_allocation_ids text[], p_evidence jsonb, p_given_by text,
  OUT outcome text, OUT credit_id text, OUT available bigint) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_given record; v_ended int; v_paid record; v_gift bigint;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT c.id INTO credit_id FROM order_credits c WHERE c.order_id = p_order_id AND c.key = p_key;
  IF FOUND THEN outcome := 'repeated'; RETURN; END IF;
  SELECT * INTO v_paid FROM order_left(p_order_id);
  available := v_paid.paid;
  IF p_amount > available THEN outcome := 'more_than_paid'; RETURN; END IF;
  IF p_cause IN ('refund', 'not_replaced') THEN
    IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'not_live'; RETURN; END IF;
    UPDATE allocations SET state = 'refunded', grace_until = NULL WHERE order_id = p_order_id AND id = ANY (p_allocation_ids) AND state IN ('active', 'in_grace');
    GET DIAGNOSTICS v_ended = ROW_COUNT;
    -- undone with everything else: the caller's picture of the order is out of date
    IF v_ended <> cardinality(p_allocation_ids) THEN RAISE EXCEPTION 'not_live' USING ERRCODE = 'P0S01'; END IF;
    PERFORM refresh_order(p_order_id);
  END IF;
  -- What goes back is a gift in the share in which gifts paid, rounded up. A credit for downtime is a gift of the shop's own.
  IF p_cause <> 'downtime' THEN v_gift := least(v_paid.gift, p_amount, ceil(p_amount::numeric * v_paid.gift / greatest(available, 1))::bigint); END IF;
  credit_id := p_credit_id;
  INSERT INTO order_credits (id, order_id, user_id, key, cause, amount_micros, currency, allocation_ids, evidence, given_by, created_at, gift_micros)
  VALUES (p_credit_id, p_order_id, v_order.user_id, p_key, p_cause, p_amount, v_order.currency, p_allocation_ids, p_evidence, p_given_by, v_now, coalesce(v_gift, p_amount));
  SELECT * INTO v_given FROM ledger_give('order_credit:' || p_credit_id,
    ledger_account('shop', CASE WHEN p_cause IN ('downtime', 'late') THEN 'sla_credits' ELSE 'revenue:' || v_order.product_kind END, v_order.currency),
    v_order.user_id, p_amount, v_order.currency, 'order', p_order_id, v_now, v_gift);
  IF v_given.outcome <> 'posted' THEN RAISE EXCEPTION 'credit % was %', p_credit_id, v_given.outcome; END IF;
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'credited', jsonb_build_object('creditId', p_credit_id, 'cause', p_cause,
    'amountMicros', p_amount::text, 'quantity', cardinality(p_allocation_ids), 'debtPaidMicros', v_given.debt_paid::text));
  PERFORM queue_user_email('order_credit:' || p_credit_id, v_order.user_id, 'order_credited', jsonb_build_object('orderId', p_order_id, 'cause', p_cause,
    'amountMicros', p_amount::text, 'quantity', cardinality(p_allocation_ids), 'balanceMicros', v_given.balance::text, 'currency', v_order.currency));
  outcome := 'given';
END $$;
