-- What an audit of referrals and announcements found. Each function stands whole, with what is new said before it.
SET lock_timeout = '5s';

-- When the programme was off: what is bought then is earned by nobody, also when it is on again by the time somebody looks.
CREATE TABLE "referral_pauses" (
    "from_at" TIMESTAMPTZ(3) NOT NULL,
    "until_at" TIMESTAMPTZ(3),

    CONSTRAINT "referral_pauses_pkey" PRIMARY KEY ("from_at")
);

-- On the settings' own row, so that no way of turning the switch can forget it.
CREATE FUNCTION referral_pauses_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce((NEW.value ->> 'isOn')::boolean, true) THEN
    UPDATE referral_pauses SET until_at = clock_timestamp() WHERE until_at IS NULL;
  ELSE
    -- whoever saves holds the settings' row, so two do not both find none
    INSERT INTO referral_pauses (from_at) SELECT clock_timestamp() WHERE NOT EXISTS (SELECT 1 FROM referral_pauses WHERE until_at IS NULL);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER referral_pauses_follow AFTER INSERT OR UPDATE OF value ON shop_settings
  FOR EACH ROW WHEN (NEW.name = 'referrals.programme') EXECUTE FUNCTION referral_pauses_follow();
INSERT INTO referral_pauses (from_at) SELECT updated_at FROM shop_settings WHERE name = 'referrals.programme' AND value ->> 'isOn' = 'false';

-- What of a reward a dispute has taken that may still be won, or was and is not given anew yet: nothing else takes its room under a cap.
CREATE FUNCTION reward_disputed(p_reward referral_rewards) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_reward.reverted_micros = 0 THEN 0 ELSE coalesce((SELECT sum(x.amount_micros) FROM referral_reversals x JOIN payment_disputes d ON d.id = x.cause_id
    WHERE x.reward_id = p_reward.id AND x.cause_kind = 'dispute' AND d.state <> 'lost'
      AND NOT EXISTS (SELECT 1 FROM referral_rewards o WHERE o.source_kind = 'reinstated' AND o.source_id = p_reward.id || ':' || d.id)), 0)::bigint END
$$;

-- As before, and: nothing is earned by what was paid while the programme was off; a first top-up is one, also when another's credit with an earlier time is
-- written later; what a dispute has taken counts for the caps while it is open, and what was won back counts as what it is.
CREATE OR REPLACE FUNCTION accrue_rewards(p_kind text, p_since timestamptz, p_until timestamptz, p_at timestamptz, p_id text, p_limit int, p_hold interval, p_currency text,
  OUT last_at timestamptz, OUT last_id text, OUT seen int, OUT made int) LANGUAGE plpgsql AS $$
DECLARE v record; v_rule referral_rules; v_base bigint; v_amount bigint; v_room bigint; v_cap text; v_basis text := CASE p_kind WHEN 'top_up' THEN 'first_top_up' ELSE 'orders' END;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sluice.referral_rewards'));
  seen := 0; made := 0;
  FOR v IN
    SELECT s.*, r.referrer_id, r.link_id, r.created_at AS referred_at, r.review, pl.product_id,
           EXISTS (SELECT 1 FROM referral_rewards w WHERE w.source_kind = p_kind AND w.source_id = s.id) AS is_there
    FROM (
      SELECT * FROM (SELECT o.id, o.delivered_at AS at, o.user_id, o.id AS order_id, o.plan_id, 0::bigint AS credited FROM orders o JOIN referrals f ON f.user_id = o.user_id
        WHERE p_kind = 'order' AND o.delivered_at >= p_since AND o.delivered_at <= p_until AND (o.delivered_at, o.id) > (p_at, p_id) ORDER BY o.delivered_at, o.id LIMIT p_limit) a
      UNION ALL
      SELECT * FROM (SELECT n.id, n.ended_at, n.user_id, n.order_id, o.plan_id, n.captured_micros FROM renewals n JOIN referrals f ON f.user_id = n.user_id JOIN orders o ON o.id = n.order_id
        WHERE p_kind = 'renewal' AND n.state = 'done' AND n.ended_at >= p_since AND n.ended_at <= p_until AND (n.ended_at, n.id) > (p_at, p_id) ORDER BY n.ended_at, n.id LIMIT p_limit) b
      UNION ALL
      SELECT * FROM (SELECT y.id, y.credited_at, y.user_id, NULL, NULL, y.credited_micros FROM payments y JOIN referrals f ON f.user_id = y.user_id
        WHERE p_kind = 'top_up' AND y.credited_at >= p_since AND y.credited_at <= p_until AND (y.credited_at, y.id) > (p_at, p_id) ORDER BY y.credited_at, y.id LIMIT p_limit) c
    ) s
    JOIN referrals r ON r.user_id = s.user_id LEFT JOIN plans pl ON pl.id = s.plan_id
    ORDER BY s.at, s.id
  LOOP
    seen := seen + 1; last_at := v.at; last_id := v.id;
    CONTINUE WHEN v.is_there OR v.review = 'rejected' OR v.at < v.referred_at
      OR EXISTS (SELECT 1 FROM referral_pauses z WHERE z.from_at <= v.at AND (z.until_at IS NULL OR z.until_at > v.at));
    SELECT * INTO v_rule FROM referral_rules u WHERE u.basis = v_basis AND (u.product_id IS NULL OR u.product_id = v.product_id) AND u.from_at <= v.at
      AND (u.until_at IS NULL OR u.until_at > v.at) ORDER BY u.product_id IS NULL LIMIT 1;
    CONTINUE WHEN NOT FOUND OR v_rule.basis_points = 0 OR v.at > v.referred_at + make_interval(days => v_rule.for_days);
    IF p_kind = 'order' THEN
      SELECT h.captured_micros - h.captured_gift_micros INTO v_base FROM ledger_holds h WHERE h.id = v.id;
    ELSIF p_kind = 'renewal' THEN
      v_base := v.credited - renewal_gift(v.id);
    ELSE
      CONTINUE WHEN EXISTS (SELECT 1 FROM payments y WHERE y.user_id = v.user_id AND (y.credited_at, y.id) < (v.at, v.id))
        OR EXISTS (SELECT 1 FROM referral_rewards w WHERE w.user_id = v.user_id AND w.source_kind = 'top_up');
      v_base := v.credited;
    END IF;
    v_amount := v_base * v_rule.basis_points / 10000; v_cap := NULL;
    IF v_rule.person_cap_micros IS NOT NULL THEN
      SELECT greatest(0, v_rule.person_cap_micros - coalesce(sum(w.amount_micros - w.reverted_micros + reward_disputed(w)), 0)) INTO v_room FROM referral_rewards w
      WHERE w.user_id = v.user_id;
      IF v_amount > v_room THEN v_amount := v_room; v_cap := 'person'; END IF;
    END IF;
    IF v_rule.month_cap_micros IS NOT NULL THEN
      SELECT greatest(0, v_rule.month_cap_micros - coalesce(sum(w.amount_micros - w.reverted_micros + reward_disputed(w)), 0)) INTO v_room FROM referral_rewards w
      WHERE w.referrer_id = v.referrer_id AND w.happened_at >= date_trunc('month', v.at, 'UTC') AND w.happened_at < date_trunc('month', v.at, 'UTC') + interval '1 month';
      IF v_amount > v_room THEN v_amount := v_room; v_cap := 'month'; END IF;
    END IF;
    CONTINUE WHEN coalesce(v_amount, 0) <= 0;
    INSERT INTO referral_rewards (id, referrer_id, user_id, link_id, rule_id, source_kind, source_id, order_id, base_micros, basis_points, amount_micros, capped_by, currency,
                                  happened_at, available_at)
    VALUES (new_id('rwd'), v.referrer_id, v.user_id, v.link_id, v_rule.id, p_kind, v.id, v.order_id, v_base, v_rule.basis_points, v_amount, v_cap, p_currency, v.at, v.at + p_hold);
    made := made + 1;
  END LOOP;
END $$;

-- What part of which whole a credit, a refund or a dispute takes of what is left of a reward.
-- A credit: the share in which it gives back what of its order came from outside and was still there. A top-up's refund or dispute: that of what of the
-- credited amount had not gone back before. A dispute: that of what was bought with money from its payment on until it was opened, less what disputes since then had taken.
-- A dispute that was won counts only while it was open.
CREATE FUNCTION reversal_share(p_reward referral_rewards, p_cause_kind text, p_cause_id text, OUT part bigint, OUT whole bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE v_payment text; v_at timestamptz; v_from timestamptz;
BEGIN
  IF p_cause_kind = 'credit' THEN
    SELECT c.amount_micros - c.gift_micros,
          (coalesce((SELECT h.captured_micros - h.captured_gift_micros FROM ledger_holds h WHERE h.id = c.order_id), 0)
        + coalesce((SELECT sum(n.captured_micros - renewal_gift(n.id)) FROM renewals n WHERE n.order_id = c.order_id AND n.captured_micros > 0 AND n.ended_at <= c.created_at), 0)
        - coalesce((SELECT sum(e.amount_micros - e.gift_micros) FROM order_credits e WHERE e.order_id = c.order_id AND e.cause <> 'downtime' AND (e.created_at, e.id) < (c.created_at, c.id)), 0))::bigint
    INTO part, whole FROM order_credits c WHERE c.id = p_cause_id;
    RETURN;
  END IF;
  IF p_cause_kind = 'refund' THEN
    SELECT f.amount_micros, f.payment_id, f.ended_at INTO part, v_payment, v_at FROM payment_refunds f WHERE f.id = p_cause_id;
  ELSE
    SELECT d.amount_micros, d.payment_id, d.opened_at INTO part, v_payment, v_at FROM payment_disputes d WHERE d.id = p_cause_id;
  END IF;
  SELECT y.credited_micros, y.credited_at INTO whole, v_from FROM payments y WHERE y.id = v_payment;
  IF p_reward.order_id IS NULL THEN
    whole := whole
      - coalesce((SELECT sum(g.amount_micros) FROM payment_refunds g WHERE g.payment_id = v_payment AND g.state = 'done' AND (g.ended_at, g.id) < (v_at, p_cause_id)), 0)
      - coalesce((SELECT sum(e.amount_micros) FROM payment_disputes e WHERE e.payment_id = v_payment AND (e.opened_at, e.id) < (v_at, p_cause_id)
          AND (e.state <> 'won' OR e.ended_at > v_at)), 0);
  ELSE
    whole := coalesce((SELECT sum(b.base_micros) FROM referral_rewards b WHERE b.user_id = p_reward.user_id AND b.source_kind IN ('order', 'renewal')
        AND b.happened_at >= v_from AND b.happened_at <= v_at), 0)
      - coalesce((SELECT sum(e.amount_micros) FROM payment_disputes e WHERE e.user_id = p_reward.user_id AND e.opened_at >= v_from AND (e.opened_at, e.id) < (v_at, p_cause_id)
          AND (e.state <> 'won' OR e.ended_at > v_at)), 0);
  END IF;
END $$;

-- Takes back what refunds, credits and disputes from p_since on have undone, each once for each reward they concern, at most p_limit; and gives rewards anew
-- where a dispute was won, or a refund failed after it was done. Returns how many were dealt with. What part of a reward goes is reversal_share's to say.
-- As before, and: a reward given anew stands for the one that was taken: it names its order and its time, was undone by what had undone that one since, and is
-- undone by whatever comes.
CREATE OR REPLACE FUNCTION revert_rewards(p_since timestamptz, p_until timestamptz, p_limit int, OUT reverted int, OUT reinstated int) LANGUAGE plpgsql AS $$
DECLARE v record; v_share record; v_other record; v_id text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sluice.referral_rewards'));
  reverted := 0; reinstated := 0;
  FOR v IN
    SELECT w AS reward, due.* FROM (
      SELECT w.id, 'credit' AS kind, c.id AS cause, c.created_at AS at
      FROM order_credits c JOIN referral_rewards w ON w.order_id = c.order_id AND w.happened_at <= c.created_at
      WHERE c.created_at >= p_since AND c.created_at <= p_until AND c.cause <> 'downtime'
      UNION ALL
      SELECT w.id, 'refund', f.id, f.ended_at
      FROM payment_refunds f JOIN payments y ON y.id = f.payment_id JOIN referral_rewards w ON w.user_id = y.user_id AND w.order_id IS NULL AND w.happened_at = y.credited_at
        AND (w.source_kind = 'reinstated' OR w.source_id = y.id)
      WHERE f.state = 'done' AND f.ended_at >= p_since AND f.ended_at <= p_until
      UNION ALL
      SELECT w.id, 'dispute', d.id, d.opened_at
      FROM payment_disputes d JOIN payments y ON y.id = d.payment_id JOIN referral_rewards w ON w.user_id = d.user_id
        AND w.happened_at >= y.credited_at AND w.happened_at <= d.opened_at
        AND (w.order_id IS NOT NULL OR w.happened_at = y.credited_at AND (w.source_kind = 'reinstated' OR w.source_id = y.id))
      WHERE d.opened_at >= p_since AND d.opened_at <= p_until
    ) due JOIN referral_rewards w ON w.id = due.id
    WHERE NOT EXISTS (SELECT 1 FROM referral_reversals x WHERE x.reward_id = due.id AND x.cause_kind = due.kind AND x.cause_id = due.cause)
    ORDER BY due.at, due.cause, due.id LIMIT p_limit
  LOOP
    SELECT * INTO v_share FROM reversal_share(v.reward, v.kind, v.cause);
    PERFORM revert_reward(v.id, v.kind, v.cause, v_share.part, v_share.whole);
    reverted := reverted + 1;
  END LOOP;
  -- What undid a reward is read before what it became: there may be more of it.
  IF reverted = p_limit THEN RETURN; END IF;

  FOR v IN
    SELECT w AS reward, w.*, d.id AS cause, d.opened_at, d.ended_at, x.amount_micros AS taken, x.at AS taken_at
    FROM (SELECT 'dispute' AS kind, p.id, p.opened_at, p.ended_at FROM payment_disputes p WHERE p.state = 'won' AND p.ended_at >= p_since AND p.ended_at <= p_until
          UNION ALL SELECT 'refund', f.id, f.created_at, f.ended_at FROM payment_refunds f WHERE f.state = 'failed' AND f.ended_at >= p_since AND f.ended_at <= p_until) d
    JOIN referral_reversals x ON x.cause_kind = d.kind AND x.cause_id = d.id AND x.amount_micros > 0 JOIN referral_rewards w ON w.id = x.reward_id
    JOIN referrals r ON r.user_id = w.user_id
    WHERE r.review <> 'rejected'
      AND NOT EXISTS (SELECT 1 FROM referral_rewards o WHERE o.source_kind = 'reinstated' AND o.source_id = w.id || ':' || d.id)
  LOOP
    v_id := new_id('rwd');
    INSERT INTO referral_rewards (id, referrer_id, user_id, link_id, rule_id, source_kind, source_id, order_id, base_micros, basis_points, amount_micros, currency, happened_at, available_at)
    VALUES (v_id, v.referrer_id, v.user_id, v.link_id, v.rule_id, 'reinstated', v.id || ':' || v.cause, v.order_id, v.taken, 10000, v.taken, v.currency, v.happened_at, v.ended_at);
    FOR v_other IN SELECT o.*, c.created_at FROM referral_reversals o LEFT JOIN order_credits c ON o.cause_kind = 'credit' AND c.id = o.cause_id
      WHERE o.reward_id = v.id AND o.cause_kind <> 'rejected' ORDER BY o.at, c.created_at
    LOOP
      -- A credit that came after the dispute gave back the order that the dispute had been about. Refunds and other disputes took other money.
      IF v_other.cause_kind = 'credit' AND (v_other.at, v_other.created_at) > (v.taken_at, v.opened_at) THEN
        SELECT * INTO v_share FROM reversal_share(v.reward, 'credit', v_other.cause_id);
        PERFORM revert_reward(v_id, 'credit', v_other.cause_id, v_share.part, v_share.whole);
      ELSE
        INSERT INTO referral_reversals (reward_id, cause_kind, cause_id, amount_micros, at) VALUES (v_id, v_other.cause_kind, v_other.cause_id, 0, v_other.at);
      END IF;
    END LOOP;
    reinstated := reinstated + 1;
  END LOOP;
END $$;

-- As before, and: times that were changed and changed back before anybody was told are no news.
CREATE OR REPLACE FUNCTION tell_announcement(p_announcement_id text, p_limit int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  n announcements;
  v_title jsonb;
  v_facts jsonb;
  v_last text;
  v_count int;
BEGIN
  SELECT * INTO n FROM announcements WHERE id = p_announcement_id FOR NO KEY UPDATE;
  IF n.id IS NULL OR n.state NOT IN ('published', 'withdrawn') THEN RETURN false; END IF;
  v_title := jsonb_build_object('slug', n.slug, 'titleEn', n.title_en, 'titleRu', n.title_ru);

  IF n.kind <> 'maintenance' THEN
    IF n.state = 'withdrawn' OR n.told_at IS NOT NULL THEN RETURN false; END IF;
    -- The beginning of the text: the whole of it, a hundred thousand times, would be gigabytes.
    v_title := v_title || jsonb_build_object('leadEn', left(n.text_en, 600), 'leadRu', left(n.text_ru, 600), 'isCutEn', length(n.text_en) > 600, 'isCutRu', length(n.text_ru) > 600,
      'beginsAt', to_char(n.begins_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
    SELECT jsonb_agg(jsonb_build_object('key', 'announcement:' || n.id || ':' || u.id, 'userId', u.id, 'template', 'announcement_' || n.kind, 'props', v_title)), max(u.id), count(*)
    INTO v_facts, v_last, v_count
    FROM (SELECT id FROM users WHERE id > n.told_after AND created_at <= n.published_at ORDER BY id LIMIT p_limit) u;
    IF v_facts IS NOT NULL THEN PERFORM tell_customers(v_facts); END IF;
    UPDATE announcements SET told_after = coalesce(v_last, told_after), told_at = CASE WHEN v_count < p_limit THEN now() END WHERE id = n.id;
    RETURN v_count = p_limit;
  END IF;

  IF n.ends_at <= now() THEN RETURN false; END IF;
  v_title := v_title || jsonb_build_object('beginsAt', to_char(n.begins_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'endsAt', to_char(n.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));

  WITH people AS (
    SELECT DISTINCT r.user_id FROM announcement_orders r WHERE r.announcement_id = n.id AND r.round < n.round ORDER BY 1 LIMIT p_limit
  ), old AS (
    SELECT r.user_id, jsonb_agg(r.order_id ORDER BY r.order_id) AS orders, min(r.begins_at) AS begins_at, min(r.ends_at) AS ends_at,
      n.state = 'withdrawn' OR bool_or((r.begins_at, r.ends_at) <> (n.begins_at, n.ends_at)) AS is_news
    FROM announcement_orders r JOIN people ON people.user_id = r.user_id WHERE r.announcement_id = n.id AND r.round < n.round GROUP BY r.user_id
  ), marked AS (
    UPDATE announcement_orders r SET round = n.round, begins_at = n.begins_at, ends_at = n.ends_at, told_at = now()
    FROM people WHERE r.announcement_id = n.id AND r.user_id = people.user_id AND r.round < n.round
  )
  SELECT jsonb_agg(jsonb_build_object('key', 'maintenance_changed:' || n.id || ':' || n.round || ':' || o.user_id, 'userId', o.user_id, 'template', 'maintenance_changed', 'props',
    v_title || jsonb_build_object('isCancelled', n.state = 'withdrawn', 'wasBeginsAt', to_char(o.begins_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'wasEndsAt', to_char(o.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'orderIds', jsonb_path_query_array(o.orders, '$[0 to 9]'), 'more', greatest(jsonb_array_length(o.orders) - 10, 0)))) FILTER (WHERE o.is_news),
    count(*) INTO v_facts, v_count FROM old o;
  IF v_count > 0 THEN
    IF v_facts IS NOT NULL THEN PERFORM tell_customers(v_facts); END IF;
    RETURN true;
  END IF;

  IF n.state = 'withdrawn' OR n.begins_at <= now() AND n.told_at IS NOT NULL THEN RETURN false; END IF;
  WITH people AS MATERIALIZED (
    SELECT DISTINCT t.user_id FROM maintenance_touches(n.id) t
    WHERE t.user_id > n.told_after AND NOT EXISTS (SELECT FROM announcement_orders r WHERE r.announcement_id = n.id AND r.order_id = t.order_id)
    ORDER BY 1 LIMIT p_limit
  ), added AS (
    INSERT INTO announcement_orders (announcement_id, order_id, user_id, round, begins_at, ends_at)
    SELECT DISTINCT n.id, t.order_id, t.user_id, n.round, n.begins_at, n.ends_at
    FROM people CROSS JOIN LATERAL (SELECT m.user_id, m.order_id FROM maintenance_touches(n.id) m WHERE m.user_id = people.user_id) t
    ON CONFLICT DO NOTHING RETURNING user_id, order_id
  ), new AS (
    SELECT a.user_id, jsonb_agg(a.order_id ORDER BY a.order_id) AS orders FROM added a GROUP BY a.user_id
  )
  SELECT jsonb_agg(jsonb_build_object('key', 'maintenance:' || n.id || ':' || (w.orders ->> 0), 'userId', w.user_id, 'template', 'announcement_maintenance', 'props',
    v_title || jsonb_build_object('orderIds', jsonb_path_query_array(w.orders, '$[0 to 9]'), 'more', greatest(jsonb_array_length(w.orders) - 10, 0)))),
    (SELECT max(user_id) FROM people), (SELECT count(*) FROM people) INTO v_facts, v_last, v_count FROM new w;
  IF v_facts IS NOT NULL THEN PERFORM tell_customers(v_facts); END IF;
  UPDATE announcements SET told_after = CASE WHEN v_count < p_limit THEN '' ELSE v_last END,
    told_at = CASE WHEN v_count < p_limit THEN coalesce(told_at, now()) ELSE told_at END WHERE id = n.id;
  RETURN v_count = p_limit;
END $$;
