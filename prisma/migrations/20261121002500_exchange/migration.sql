-- A dead proxy is exchanged by the supplier it came from (docs/decisions/0029): asked for once, noted before the call, waited for with an end.
SET lock_timeout = '5s';

ALTER TABLE "replacements"
  ADD COLUMN "supplier" TEXT,
  ADD COLUMN "step" TEXT,
  ADD COLUMN "rule" JSONB,
  ADD COLUMN "promised_micros" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "lookups" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "look_at" TIMESTAMPTZ(3),
  ADD COLUMN "give_up_at" TIMESTAMPTZ(3),
  ADD COLUMN "detail" TEXT,
  ADD COLUMN "late_place" TEXT,
  ADD CONSTRAINT step_is_known CHECK (step IN ('waiting', 'calling', 'pending', 'unknown', 'refused')),
  ADD CONSTRAINT who_was_asked_has_a_step CHECK ((supplier IS NULL) = (step IS NULL)),
  ADD CONSTRAINT open_is_looked_at CHECK (state <> 'open' OR (supplier IS NOT NULL AND look_at IS NOT NULL AND give_up_at IS NOT NULL)),
  ADD CONSTRAINT promise_is_not_negative CHECK (promised_micros >= 0);
-- What is open is few among what ever was; renewals, refunds and expiry ask for it by order.
CREATE INDEX "replacements_open" ON "replacements"("order_id") WHERE state = 'open';
CREATE INDEX "replacements_looked_at" ON "replacements"("look_at") WHERE look_at IS NOT NULL;

-- As before, and: what is being exchanged for an order is one answer, whoever asks. Outcome also: 'being_replaced'.
CREATE OR REPLACE FUNCTION renew_order(
  p_renewal_id text, p_order_id text, p_user_id text, p_key text, p_due timestamptz, p_allocation_ids text[], p_stock_suppliers text[], p_plan_revision int,
  p_days int, p_quantity int, p_unit_price bigint, p_discount bigint, p_total bigint, p_currency text,
  OUT outcome text, OUT renewal_id text, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_order orders; v_old record; v_account text; v_now timestamptz := clock_timestamp(); v_count int; v_is_stock boolean; v_first timestamptz; v_part text;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id AND o.user_id = p_user_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT r.id, (r.allocation_ids, r.period_days, r.total_micros) = (p_allocation_ids, p_days, p_total) AS same INTO v_old
  FROM renewals r WHERE r.order_id = p_order_id AND r.key = p_key;
  IF FOUND THEN
    renewal_id := v_old.id;
    outcome := CASE WHEN v_old.same THEN 'repeated' ELSE 'key_reused' END;
    RETURN;
  END IF;
  IF v_order.state NOT IN ('active', 'in_grace') THEN outcome := 'not_renewable'; RETURN; END IF;
  IF p_due IS NOT NULL THEN
    IF NOT v_order.auto_renew THEN outcome := 'switched_off'; RETURN; END IF;
    IF v_order.due_at <> p_due THEN outcome := 'already_renewed'; RETURN; END IF;
  END IF;
  IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'renewal_open'; RETURN; END IF;
  PERFORM 1 FROM plans pl WHERE pl.id = v_order.plan_id AND pl.revision = p_plan_revision;
  IF NOT FOUND THEN outcome := 'plan_changed'; RETURN; END IF;

  SELECT count(*), bool_and(f.supplier = ANY (p_stock_suppliers)), min(a.expires_at) INTO v_count, v_is_stock, v_first
  FROM allocations a JOIN offers f ON f.id = a.offer_id
  WHERE a.order_id = p_order_id AND a.id = ANY (p_allocation_ids) AND a.granted_bytes IS NULL
    AND (a.state = 'in_grace' AND a.grace_until > v_now OR a.state = 'active' AND (a.expires_at > v_now OR p_due IS NOT NULL));
  IF v_count <> p_quantity OR v_count <> cardinality(p_allocation_ids) THEN outcome := 'not_renewable'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM replacements r WHERE r.order_id = p_order_id AND r.state = 'open' AND r.old_allocation_id = ANY (p_allocation_ids)) THEN
    outcome := 'being_replaced'; RETURN;
  END IF;

  SELECT a.id, a.balance_micros INTO v_account, available FROM ledger_accounts a
  WHERE a.owner = p_user_id AND a.kind = 'customer_balance' AND a.currency = p_currency FOR NO KEY UPDATE;
  IF ledger_debt(p_user_id, p_currency) > 0 THEN outcome := 'in_debt'; available := ledger_debt(p_user_id, p_currency); RETURN; END IF;
  available := coalesce(available, 0);
  IF available < p_total THEN outcome := 'insufficient_balance'; RETURN; END IF;

  INSERT INTO renewals (id, order_id, user_id, key, allocation_ids, plan_revision, period_days, quantity, unit_price_micros, discount_micros, total_micros,
                        captured_micros, currency, state, due_at, created_at, ended_at)
  VALUES (p_renewal_id, p_order_id, p_user_id, p_key, p_allocation_ids, p_plan_revision, p_days, p_quantity, p_unit_price, p_discount, p_total,
          CASE WHEN v_is_stock THEN p_total ELSE 0 END, p_currency, CASE WHEN v_is_stock THEN 'done' ELSE 'held' END, v_first, v_now, CASE WHEN v_is_stock THEN v_now END);
  renewal_id := p_renewal_id;
  UPDATE orders SET retry_at = NULL WHERE id = p_order_id;
  IF v_is_stock THEN
    SELECT p.outcome INTO v_part FROM ledger_post('renewal:' || p_renewal_id, v_account, ledger_account('shop', 'revenue:' || v_order.product_kind, p_currency),
      p_total, p_currency, 'order', p_order_id, NULL, v_now) p;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'renewal % was %', p_renewal_id, v_part; END IF;
    UPDATE allocations SET expires_at = renewed_until(expires_at, p_days), state = 'active', grace_until = NULL WHERE id = ANY (p_allocation_ids);
    PERFORM refresh_order(p_order_id);
    PERFORM tell_renewed(p_order_id, p_renewal_id);
    outcome := 'renewed';
  ELSE
    SELECT h.outcome INTO v_part FROM ledger_hold(p_renewal_id, v_account, p_total, p_currency, 'order', v_now) h;
    IF v_part <> 'posted' THEN RAISE EXCEPTION 'hold of % was %', p_renewal_id, v_part; END IF;
    INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'renewal_held', jsonb_build_object('renewalId', p_renewal_id, 'heldMicros', p_total::text));
    INSERT INTO outbox_jobs (name, payload) VALUES ('provisioning.renew', jsonb_build_object('renewalId', p_renewal_id));
    outcome := 'held';
  END IF;
END $$;

-- As before, and: an order with a proxy that is being exchanged is answered 'alone': its others are renewed by renew_order.
CREATE OR REPLACE FUNCTION renew_due_orders(p_rows jsonb, p_stock_suppliers text[], p_currency text) RETURNS TABLE (order_id text, outcome text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp(); v_locked text[]; v_plain jsonb; v_charges jsonb; v_paid text[]; v_mails jsonb;
BEGIN
  SELECT array_agg(l.id) INTO v_locked FROM (
    SELECT o.id FROM orders o JOIN jsonb_to_recordset(p_rows) AS r("orderId" text, due timestamptz, days int) ON r."orderId" = o.id
    WHERE o.state IN ('active', 'in_grace') AND o.auto_renew AND o.due_at = r.due AND o.renew_period_days = r.days
    ORDER BY o.id FOR NO KEY UPDATE OF o SKIP LOCKED) l;
  IF v_locked IS NULL THEN
    RETURN QUERY SELECT r ->> 'orderId', 'passed' FROM jsonb_array_elements(p_rows) r;
    RETURN;
  END IF;

  -- what falls due of each, and whether all of it is ours to renew
  SELECT jsonb_agg(r || jsonb_build_object('userId', o.user_id, 'productKind', o.product_kind, 'ids', a.ids, 'key', 'auto:' || to_char(o.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY o.due_at, o.id)
  INTO v_plain
  FROM jsonb_array_elements(p_rows) r JOIN orders o ON o.id = r ->> 'orderId' AND o.id = ANY (v_locked)
  JOIN plans pl ON pl.id = o.plan_id AND pl.revision = (r ->> 'revision')::int
  JOIN LATERAL (
    SELECT array_agg(a.id ORDER BY a.position) AS ids, bool_and(f.supplier = ANY (p_stock_suppliers)) AS is_stock, count(*) AS n
    FROM allocations a JOIN offers f ON f.id = a.offer_id
    WHERE a.order_id = o.id AND a.granted_bytes IS NULL AND a.expires_at < o.due_at + interval '1 day'
      AND (a.state = 'active' OR a.state = 'in_grace' AND a.grace_until > v_now)) a
    ON a.is_stock AND a.n = (r ->> 'quantity')::int
  WHERE NOT EXISTS (SELECT 1 FROM renewals h WHERE h.order_id = o.id AND h.state = 'held')
    AND NOT EXISTS (SELECT 1 FROM replacements x WHERE x.order_id = o.id AND x.state = 'open');

  SELECT jsonb_agg(jsonb_build_object('key', 'renewal:' || (p ->> 'renewalId'), 'owner', p ->> 'userId', 'amount', p ->> 'total', 'toKind', 'revenue:' || (p ->> 'productKind'),
    'sourceKind', 'order', 'sourceId', p ->> 'orderId')) INTO v_charges FROM jsonb_array_elements(coalesce(v_plain, '[]')) p;
  IF v_charges IS NOT NULL THEN
    SELECT array_agg(c.key) INTO v_paid FROM ledger_charge_many(v_charges, p_currency, v_now) c WHERE c.outcome = 'posted';
  END IF;
  v_paid := coalesce(v_paid, '{}');

  INSERT INTO renewals (id, order_id, user_id, key, allocation_ids, plan_revision, period_days, quantity, unit_price_micros, discount_micros, total_micros,
                        captured_micros, currency, state, due_at, created_at, ended_at)
  SELECT p ->> 'renewalId', p ->> 'orderId', p ->> 'userId', p ->> 'key', ARRAY(SELECT jsonb_array_elements_text(p -> 'ids')), (p ->> 'revision')::int, (p ->> 'days')::int,
         (p ->> 'quantity')::int, (p ->> 'unitPrice')::bigint, (p ->> 'discount')::bigint, (p ->> 'total')::bigint, (p ->> 'total')::bigint, p_currency, 'done',
         (p ->> 'due')::timestamptz, v_now, v_now
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid);

  UPDATE allocations a SET expires_at = renewed_until(a.expires_at, (p ->> 'days')::int), state = 'active', grace_until = NULL
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p CROSS JOIN LATERAL jsonb_array_elements_text(p -> 'ids') AS i(id)
  WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid) AND a.id = i.id;

  UPDATE orders o SET state = 'active', expires_at = l.ends_at, due_at = l.due_at, look_at = l.look_at, retry_at = NULL
  FROM (SELECT a.order_id, min(a.expires_at) AS due_at, max(a.expires_at) AS ends_at, min(CASE a.state WHEN 'active' THEN a.expires_at ELSE a.grace_until END) AS look_at
        FROM jsonb_array_elements(coalesce(v_plain, '[]')) p JOIN allocations a ON a.order_id = p ->> 'orderId' AND a.state IN ('active', 'in_grace')
        WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid) GROUP BY a.order_id) l
  WHERE o.id = l.order_id;

  INSERT INTO order_events (order_id, kind, data)
  SELECT p ->> 'orderId', 'renewed', jsonb_build_object('renewalId', p ->> 'renewalId', 'quantity', (p ->> 'quantity')::int, 'periodDays', (p ->> 'days')::int,
    'capturedMicros', p ->> 'total', 'releasedMicros', '0', 'until', o.due_at, 'automatic', true)
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p JOIN orders o ON o.id = p ->> 'orderId' WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid);

  SELECT jsonb_agg(jsonb_build_object('key', 'renewed:' || (p ->> 'renewalId'), 'userId', p ->> 'userId', 'template', 'order_renewed', 'props', jsonb_build_object(
    'orderId', p ->> 'orderId', 'quantity', (p ->> 'quantity')::int, 'periodDays', (p ->> 'days')::int, 'totalMicros', p ->> 'total', 'currency', p_currency,
    'automatic', true, 'expiresAt', to_char(o.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))) INTO v_mails
  FROM jsonb_array_elements(coalesce(v_plain, '[]')) p JOIN orders o ON o.id = p ->> 'orderId' WHERE 'renewal:' || (p ->> 'renewalId') = ANY (v_paid);
  IF v_mails IS NOT NULL THEN PERFORM queue_user_emails(v_mails); END IF;

  RETURN QUERY SELECT r ->> 'orderId', CASE WHEN 'renewal:' || (r ->> 'renewalId') = ANY (v_paid) THEN 'renewed'
                                            WHEN r ->> 'orderId' = ANY (v_locked) THEN 'alone' ELSE 'passed' END
  FROM jsonb_array_elements(p_rows) r;
END $$;

-- As before, and: a proxy that is being exchanged waits for the end of that, which never comes later than a job after its own.
CREATE OR REPLACE FUNCTION expire_orders(p_limit int, p_grace interval) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_now timestamptz := clock_timestamp(); v_done int := 0; v_expired int; v_state text; v_open text[];
BEGIN
  FOR v_order IN
    SELECT o.* FROM orders o WHERE o.state IN ('active', 'in_grace') AND o.look_at <= v_now ORDER BY o.look_at, o.id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    v_done := v_done + 1;
    IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = v_order.id AND r.state = 'held') THEN
      UPDATE orders SET look_at = v_now + interval '1 minute' WHERE id = v_order.id;
      CONTINUE;
    END IF;
    v_open := ARRAY(SELECT r.old_allocation_id FROM replacements r WHERE r.order_id = v_order.id AND r.state = 'open');
    UPDATE allocations SET state = 'expired', grace_until = NULL
    WHERE order_id = v_order.id AND id <> ALL (v_open) AND (state = 'in_grace' AND (grace_until <= v_now OR NOT v_order.auto_renew)
      OR state = 'active' AND expires_at <= v_now AND (NOT v_order.auto_renew OR granted_bytes IS NOT NULL OR expires_at + p_grace <= v_now));
    GET DIAGNOSTICS v_expired = ROW_COUNT;
    UPDATE allocations SET state = 'in_grace', grace_until = expires_at + p_grace WHERE order_id = v_order.id AND id <> ALL (v_open) AND state = 'active' AND expires_at <= v_now;
    IF FOUND THEN
      INSERT INTO order_events (order_id, kind, data) SELECT v_order.id, 'in_grace', jsonb_build_object('until', min(grace_until)) FROM allocations WHERE order_id = v_order.id AND state = 'in_grace';
    END IF;
    PERFORM refresh_order(v_order.id);
    IF cardinality(v_open) > 0 THEN UPDATE orders SET look_at = greatest(look_at, v_now + interval '1 minute') WHERE id = v_order.id AND look_at IS NOT NULL; END IF;
    SELECT o.state INTO v_state FROM orders o WHERE o.id = v_order.id;
    IF v_expired > 0 THEN
      INSERT INTO order_events (order_id, kind, data) VALUES (v_order.id, 'expired', jsonb_build_object('quantity', v_expired, 'all', v_state = 'expired'));
    END IF;
    IF v_state = 'expired' THEN
      UPDATE orders SET auto_renew = false WHERE id = v_order.id;
      PERFORM queue_user_email('expired:' || v_order.id || ':' || to_char(v_order.expires_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS'), v_order.user_id, 'order_expired',
        jsonb_build_object('orderId', v_order.id, 'wasAutomatic', v_order.auto_renew));
    END IF;
  END LOOP;
  RETURN v_done;
END $$;

-- As before, and: what is being exchanged is neither given back nor paid instead. Outcome also: 'being_replaced'.
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
    IF EXISTS (SELECT 1 FROM replacements r WHERE r.order_id = p_order_id AND r.state = 'open' AND r.old_allocation_id = ANY (p_allocation_ids)) THEN
      outcome := 'being_replaced'; RETURN;
    END IF;
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

-- As before, and: not while another exchange of the proxy is open. An open one may end so itself. Outcome also: 'being_replaced'.
CREATE OR REPLACE FUNCTION replace_from_stock(p_replacement_id text, p_order_id text, p_allocation_id text, p_offer_ids text[], p_key text, p_reason text, p_asked_by text,
  OUT outcome text, OUT new_id text) LANGUAGE plpgsql AS $$
DECLARE v_order orders; v_old allocations; v_unit stock_units; v_now timestamptz := clock_timestamp(); v_row replacements;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  SELECT * INTO v_row FROM replacements r WHERE r.order_id = p_order_id AND r.key = p_key;
  IF FOUND AND v_row.state <> 'open' THEN outcome := 'repeated'; new_id := v_row.new_allocation_id; RETURN; END IF;
  SELECT * INTO v_old FROM allocations a WHERE a.id = p_allocation_id AND a.order_id = p_order_id;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_old.state <> 'active' OR v_old.expires_at <= v_now THEN outcome := 'not_live'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM replacements r WHERE r.order_id = p_order_id AND r.state = 'open' AND r.old_allocation_id = p_allocation_id AND r.id <> p_replacement_id) THEN
    outcome := 'being_replaced'; RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = p_order_id AND r.state = 'held') THEN outcome := 'not_live'; RETURN; END IF;
  FOR i IN 1 .. coalesce(cardinality(p_offer_ids), 0) LOOP
    -- By rank alone, as place_order does; of the first fifty one on another host, if there is one: where all units are logins at one gateway, another login.
    SELECT u.* INTO v_unit FROM stock_units u JOIN (
      SELECT id FROM stock_units WHERE offer_id = p_offer_ids[i] AND state = 'free' ORDER BY rank LIMIT 50) f ON f.id = u.id
    WHERE u.state = 'free' ORDER BY u.host = v_old.host, u.rank LIMIT 1 FOR UPDATE OF u SKIP LOCKED;
    EXIT WHEN FOUND;
  END LOOP;
  IF v_unit.id IS NULL THEN outcome := 'sold_out'; RETURN; END IF;
  UPDATE stock_units SET state = 'sold', order_id = p_order_id, sold_at = v_now WHERE id = v_unit.id;
  UPDATE stock_units SET state = 'withdrawn', order_id = NULL WHERE id = v_old.supplier_ref AND state = 'sold';
  new_id := new_id('alc');
  INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at, offer_id)
  SELECT new_id, p_order_id, v_old.user_id, 1 + max(a.position), v_unit.id, v_unit.host, v_unit.port, v_unit.username, v_unit.password, v_unit.protocols,
         v_old.country_code, v_old.expires_at, v_unit.offer_id FROM allocations a WHERE a.order_id = p_order_id;
  PERFORM end_replacement(p_replacement_id, p_order_id, p_allocation_id, new_id, p_key, p_reason, p_asked_by);
  outcome := 'replaced';
END $$;

-- As before, and: an automatic renewal of the new proxy may follow the end that its neighbours were renewed at.
CREATE OR REPLACE FUNCTION end_replacement(p_replacement_id text, p_order_id text, p_old text, p_new text, p_key text, p_reason text, p_asked_by text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_order orders;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.id = p_order_id;
  UPDATE allocations SET state = 'replaced' WHERE id = p_old;
  -- The order's others were renewed while this one waited: its own automatic renewal follows the same end, whose name must be free again.
  UPDATE renewals r SET key = r.key || ':' || r.id FROM allocations a WHERE a.id = p_old AND r.order_id = p_order_id AND r.state <> 'held'
    AND r.key = 'auto:' || to_char(a.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AND NOT p_old = ANY (r.allocation_ids);
  INSERT INTO replacements (id, order_id, user_id, old_allocation_id, new_allocation_id, key, reason, asked_by, state, ended_at)
  VALUES (p_replacement_id, p_order_id, v_order.user_id, p_old, p_new, p_key, p_reason, p_asked_by, 'replaced', clock_timestamp())
  ON CONFLICT (order_id, key) DO UPDATE SET new_allocation_id = p_new, state = 'replaced', ended_at = clock_timestamp(),
    -- a supplier that was asked and may still give one, too: what comes of that is looked for a week long
    look_at = CASE WHEN replacements.step IN ('calling', 'pending', 'unknown') THEN clock_timestamp() + interval '1 day' END,
    give_up_at = CASE WHEN replacements.step IN ('calling', 'pending', 'unknown') THEN clock_timestamp() + interval '7 days' END;
  PERFORM refresh_order(p_order_id);
  INSERT INTO order_events (order_id, kind, data) VALUES (p_order_id, 'replaced', jsonb_build_object('oldId', p_old, 'newId', p_new, 'reason', p_reason));
  INSERT INTO outbox_jobs (name, payload) VALUES ('checks.check_order', jsonb_build_object('orderId', p_order_id));
  PERFORM queue_user_email('replaced:' || p_old, v_order.user_id, 'proxy_replaced', jsonb_build_object('orderId', p_order_id, 'reason', p_reason,
    'old', (SELECT host || ':' || port FROM allocations WHERE id = p_old), 'new', (SELECT host || ':' || port FROM allocations WHERE id = p_new)));
END $$;

-- Ends an open exchange with what the supplier gave: the new proxy has the old one's end, its addresses and its order there. Refuses a place that this order
-- ever had, and a login that anybody holds: nothing is handed out twice. Locks the order. Outcome: 'replaced' | 'ended' (it is no longer open) | 'not_held' (the
-- old one is no longer the customer's) | 'known'.
CREATE FUNCTION take_replacement(p_replacement_id text, p_supplier_ref text, p_host text, p_port int, p_username text, p_password text, p_protocols text[],
  OUT outcome text) LANGUAGE plpgsql AS $$
DECLARE v_row replacements; v_old allocations; v_new text;
BEGIN
  PERFORM 1 FROM orders o JOIN replacements r ON r.order_id = o.id WHERE r.id = p_replacement_id FOR NO KEY UPDATE OF o;
  SELECT * INTO v_row FROM replacements r WHERE r.id = p_replacement_id;
  IF NOT FOUND OR v_row.state <> 'open' THEN outcome := 'ended'; RETURN; END IF;
  SELECT * INTO v_old FROM allocations a WHERE a.id = v_row.old_allocation_id;
  IF v_old.state <> 'active' THEN outcome := 'not_held'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM allocations a WHERE a.order_id = v_row.order_id AND a.host = p_host AND a.port = p_port)
    OR EXISTS (SELECT 1 FROM allocations a WHERE a.host = p_host AND a.port = p_port AND a.username = p_username AND a.state IN ('active', 'in_grace')) THEN
    outcome := 'known'; RETURN;
  END IF;
  v_new := new_id('alc');
  INSERT INTO allocations (id, order_id, user_id, position, supplier_ref, host, port, username, password, protocols, country_code, expires_at, offer_id, delivery_id, bound_addresses)
  SELECT v_new, v_row.order_id, v_old.user_id, 1 + max(a.position), p_supplier_ref, p_host, p_port, p_username, p_password, p_protocols,
         v_old.country_code, v_old.expires_at, v_old.offer_id, v_old.delivery_id, v_old.bound_addresses FROM allocations a WHERE a.order_id = v_row.order_id;
  PERFORM end_replacement(v_row.id, v_row.order_id, v_old.id, v_new, v_row.key, v_row.reason, v_row.asked_by);
  UPDATE replacements SET look_at = NULL, give_up_at = NULL WHERE id = v_row.id;
  outcome := 'replaced';
END $$;
