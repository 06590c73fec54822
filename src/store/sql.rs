//! Every statement of the store, once.
//!
//! The texts keep to what SQLite and PostgreSQL both read (`$1`, `ON CONFLICT`, `FALSE`), so that a
//! second database needs its own only for locks, pragmas and schema. A test prepares each of them. Not here: pragmas, BEGIN and COMMIT (`sqlite.rs`).

macro_rules! intent_columns {
    () => {
        "seq, id, flow, env, branch, kind, old_commit, new_commit, policy, attempt, by_actor, reason, promote, \
         overrides, holds, state, saved_wall, saved_trusted, deadline_trusted, words, finished_seq, finished_wall, merge"
    };
}

macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(pub(super) const $name: &str = $text;)*
        /// Every statement, with its name.
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

statements! {
    SEQ = "SELECT seq FROM counter WHERE id = 1";
    SET_SEQ = "UPDATE counter SET seq = $1 WHERE id = 1";

    CLOCK = "SELECT trusted, wall, boottime, boot, boots FROM clock WHERE id = 1";
    SET_CLOCK = "INSERT INTO clock (id, trusted, wall, boottime, boot, boots) VALUES (1, $1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET trusted = excluded.trusted, wall = excluded.wall,
            boottime = excluded.boottime, boot = excluded.boot, boots = excluded.boots";

    LEASE = "SELECT epoch, holder, until_trusted FROM leases WHERE flow = $1";
    SET_LEASE = "INSERT INTO leases (flow, epoch, holder, until_trusted) VALUES ($1, $2, $3, $4)
        ON CONFLICT (flow) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder,
            until_trusted = excluded.until_trusted";
    EXTEND_LEASE = "UPDATE leases SET until_trusted = $4 WHERE flow = $1 AND epoch = $2 AND holder = $3";
    // The epoch stays, so that the next one is higher.
    RELEASE_LEASE = "UPDATE leases SET holder = '', until_trusted = 0
        WHERE flow = $1 AND epoch = $2 AND holder = $3";

    LOOKED = "SELECT looked_wall, looked_trusted FROM flows WHERE flow = $1";
    SET_LOOKED = "INSERT INTO flows (flow, looked_wall, looked_trusted) VALUES ($1, $2, $3)
        ON CONFLICT (flow) DO UPDATE SET looked_wall = excluded.looked_wall,
            looked_trusted = excluded.looked_trusted";

    BRANCHES = "SELECT env, branch, repository, tip, at_wall, at_trusted FROM branches WHERE flow = $1";
    SET_BRANCH = "INSERT INTO branches (flow, env, branch, repository, tip, at_wall, at_trusted)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (flow, env) DO UPDATE SET branch = excluded.branch, repository = excluded.repository,
            tip = excluded.tip, at_wall = excluded.at_wall, at_trusted = excluded.at_trusted";
    BRANCHES_OF_ALL = "SELECT b.flow, b.env, b.branch, b.repository, b.tip, b.at_wall, b.at_trusted,
            f.looked_wall, f.looked_trusted
        FROM branches b JOIN flows f ON f.flow = b.flow ORDER BY b.flow, b.env";
    FORGET_BRANCH = "DELETE FROM branches WHERE flow = $1 AND env = $2";

    ARRIVALS = "SELECT env, commit_id, wall, trusted, how FROM arrivals WHERE flow = $1";
    SET_ARRIVAL = "INSERT INTO arrivals (flow, env, commit_id, wall, trusted, how) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (flow, env, commit_id) DO UPDATE SET wall = excluded.wall, trusted = excluded.trusted,
            how = excluded.how";
    FORGET_ARRIVAL = "DELETE FROM arrivals WHERE flow = $1 AND env = $2 AND commit_id = $3";
    FORGET_ARRIVALS = "DELETE FROM arrivals WHERE flow = $1 AND env = $2";

    HELD_ENVS = "SELECT DISTINCT env FROM held WHERE flow = $1";
    HELD = "SELECT commit_id, from_wall, from_trusted, until_wall, until_trusted, lost, how
        FROM held WHERE flow = $1 AND env = $2 ORDER BY seq DESC LIMIT $3";
    HELD_COMMIT = "SELECT commit_id, from_wall, from_trusted, until_wall, until_trusted, lost, how
        FROM held WHERE flow = $1 AND env = $2 AND commit_id = $3 ORDER BY seq DESC LIMIT 1";
    END_HELD = "UPDATE held SET until_wall = $3, until_trusted = $4
        WHERE flow = $1 AND env = $2 AND until_wall IS NULL";
    ADD_HELD = "INSERT INTO held (seq, flow, env, commit_id, from_wall, from_trusted, how)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    SET_LOST = "UPDATE held SET lost = $4 WHERE flow = $1 AND env = $2 AND commit_id = $3";
    FORGET_HELD = "DELETE FROM held WHERE flow = $1 AND env = $2";

    PAUSES = "SELECT id, kind, flow, env, by_actor, reason, at_wall, until_wall, cause, at_trusted
        FROM pauses WHERE ended = FALSE ORDER BY seq";
    ADD_PAUSE = "INSERT INTO pauses
            (seq, id, kind, flow, env, by_actor, reason, at_wall, until_wall, cause, at_trusted)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING";
    EXPIRE_PAUSE = "UPDATE pauses SET ended = TRUE WHERE id = $1 AND ended = FALSE";
    END_PAUSE = "UPDATE pauses SET ended = TRUE WHERE id = $1";

    HOLDS = "SELECT id, commit_id, kept, flow, env, by_actor, reason, at_wall, fixed_by
        FROM holds WHERE ended = FALSE AND (flow IS NULL OR flow = $1) ORDER BY seq";
    ADD_HOLD = "INSERT INTO holds (seq, id, commit_id, kept, flow, env, by_actor, reason, at_wall, fixed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
    END_HOLD = "UPDATE holds SET ended = TRUE WHERE id = $1";
    FIX_HOLD = "UPDATE holds SET fixed_by = $2 WHERE id = $1 AND ended = FALSE";

    PROMOTES = "SELECT id, flow, env, commit_id, by_actor, reason, at_wall, until_wall
        FROM promotes WHERE flow = $1 AND ended = FALSE ORDER BY seq";
    ADD_PROMOTE = "INSERT INTO promotes (seq, id, flow, env, commit_id, by_actor, reason, at_wall, until_wall)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
    REPLACE_PROMOTE = "UPDATE promotes SET ended = TRUE WHERE flow = $1 AND env = $2 AND ended = FALSE";
    END_PROMOTE = "UPDATE promotes SET ended = TRUE WHERE id = $1";

    OVERRIDES = "SELECT id, gate, flow, env, commit_id, by_actor, reason, at_wall, until_wall, request, accepts
        FROM overrides WHERE flow = $1 AND ended = FALSE ORDER BY seq";
    ADD_OVERRIDE = "INSERT INTO overrides
            (seq, id, gate, flow, env, commit_id, by_actor, reason, at_wall, until_wall, request, accepts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING";
    REPLACE_OVERRIDE = "UPDATE overrides SET ended = TRUE
        WHERE flow = $1 AND env = $2 AND commit_id = $3 AND gate = $4 AND ended = FALSE";
    OVERRIDE_FOR = "UPDATE overrides SET request = $2 WHERE id = $1";
    END_OVERRIDE = "UPDATE overrides SET ended = TRUE WHERE id = $1";

    APPROVALS = "SELECT id, flow, env, commit_id, by_actor, email, at_wall, also
        FROM approvals WHERE flow = $1 AND ended = FALSE ORDER BY seq DESC LIMIT $2";
    ADD_APPROVAL = "INSERT INTO approvals (seq, id, flow, env, commit_id, by_actor, email, at_wall, also)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
    REPLACE_APPROVAL = "UPDATE approvals SET ended = TRUE
        WHERE flow = $1 AND env = $2 AND commit_id = $3 AND by_actor = $4 AND ended = FALSE";

    BACKOFFS = "SELECT flow, env, words, refusals, until_wall, old_commit, new_commit, policy
        FROM backoffs WHERE flow = $1 ORDER BY seq";
    SET_BACKOFF = "INSERT INTO backoffs
            (seq, flow, env, words, refusals, until_wall, old_commit, new_commit, policy)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (flow, env) DO UPDATE SET seq = excluded.seq, words = excluded.words,
            refusals = excluded.refusals, until_wall = excluded.until_wall,
            old_commit = excluded.old_commit, new_commit = excluded.new_commit, policy = excluded.policy";
    CLEAR_BACKOFF = "DELETE FROM backoffs WHERE flow = $1 AND env = $2";

    INTENT = concat!("SELECT ", intent_columns!(), " FROM intents WHERE id = $1");
    INTENTS_OPEN = concat!("SELECT ", intent_columns!(), " FROM intents
        WHERE flow = $1 AND state IN ('saved', 'pushing', 'abandoned')
          AND (state <> 'abandoned' OR saved_trusted >= $2) ORDER BY seq");
    INTENTS_PUSHING = concat!("SELECT ", intent_columns!(), " FROM intents WHERE state = 'pushing' ORDER BY seq");
    INTENTS_FINISHED = concat!("SELECT ", intent_columns!(), " FROM intents
        WHERE finished_seq < $3 AND (flow = $1 OR $1 IS NULL) ORDER BY finished_seq DESC LIMIT $2");
    INTENTS_BEFORE = concat!("SELECT ", intent_columns!(), " FROM intents
        WHERE seq < $3 AND (flow = $1 OR $1 IS NULL) AND (env = $4 OR $4 IS NULL) AND (state = $5 OR $5 IS NULL)
        ORDER BY seq DESC LIMIT $2");
    INTENTS_AFTER = concat!("SELECT ", intent_columns!(), " FROM intents WHERE seq > $1 ORDER BY seq LIMIT $2");
    ADD_INTENT = "INSERT INTO intents
            (seq, id, flow, env, branch, kind, old_commit, new_commit, policy, attempt, by_actor, reason,
             promote, overrides, holds, state, saved_wall, saved_trusted, deadline_trusted, words, merge)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        ON CONFLICT (id) DO NOTHING";
    INTENT_STATE = "SELECT flow, state FROM intents WHERE id = $1";
    FINISH_INTENT = "UPDATE intents SET state = $2, words = $3, finished_seq = $4,
            finished_wall = (SELECT wall FROM clock WHERE id = 1) WHERE id = $1";
    PUSH_INTENT = "UPDATE intents SET state = 'pushing', deadline_trusted = $2 WHERE id = $1";
    ATTEMPTS = "SELECT COALESCE(MAX(attempt) + 1, 0) AS attempts FROM intents
        WHERE flow = $1 AND env = $2 AND old_commit = $3 AND new_commit = $4 AND kind = $5 AND policy = $6";

    EFFECT_COUNT = "SELECT COUNT(*) AS effects FROM effects WHERE intent = $1";
    ADD_EFFECT = "INSERT INTO effects
            (seq, intent, flow, env, kind, old_commit, new_commit, at_wall, at_trusted, late)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (intent) DO NOTHING";
    LAST_MOVES = "SELECT env, at_wall FROM effects
        WHERE seq IN (SELECT MAX(seq) FROM effects WHERE flow = $1 GROUP BY env)";
    EFFECTS = "SELECT seq, flow, intent, env, kind, old_commit, new_commit, at_wall, at_trusted, late
        FROM effects WHERE (flow = $1 OR $1 IS NULL) AND seq < $3 ORDER BY seq DESC LIMIT $2";
    EFFECTS_AFTER = "SELECT seq, flow, intent, env, kind, old_commit, new_commit, at_wall, at_trusted, late
        FROM effects WHERE seq > $1 ORDER BY seq LIMIT $2";

    ADD_EVENT = "INSERT INTO events (seq, flow, env, at_wall, at_trusted, event) VALUES ($1, $2, $3, $4, $5, $6)";
    EVENTS = "SELECT seq, flow, env, at_wall, at_trusted, event
        FROM events WHERE (flow = $1 OR $1 IS NULL) AND seq < $3 ORDER BY seq DESC LIMIT $2";
    EVENTS_AFTER = "SELECT seq, flow, env, at_wall, at_trusted, event FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";

    OUTBOX = "SELECT id, sink, env, at_wall, event FROM outbox WHERE flow = $1 AND sent = FALSE ORDER BY seq";
    ADD_MESSAGE = "INSERT INTO outbox (seq, id, flow, sink, env, at_wall, event)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
    // The first and the last text that a reminder's id may be.
    REMINDED = "SELECT id, sink FROM outbox WHERE id >= $1 AND id < $2";
    HEADS_UPS = "SELECT id, sink, env, at_wall, event FROM outbox
        WHERE flow = $1 AND env = $2 AND id >= $3 AND id < $4 ORDER BY seq DESC LIMIT $5";
    SENT_MESSAGE = "UPDATE outbox SET sent = TRUE WHERE id = $1";

    DECISIONS = "SELECT env, since_wall, decision FROM decisions WHERE flow = $1";
    SET_DECISION = "INSERT INTO decisions (flow, env, since_wall, decision) VALUES ($1, $2, $3, $4)
        ON CONFLICT (flow, env) DO UPDATE SET since_wall = excluded.since_wall, decision = excluded.decision";

    WOULD = "SELECT env, old_commit, new_commit, began_wall, began_trusted, ended_wall, ended_trusted, times
        FROM would_moves WHERE flow = $1 AND env = $2 AND settled = FALSE ORDER BY seq DESC LIMIT $3";
    WOULD_ENVS = "SELECT DISTINCT env FROM would_moves WHERE flow = $1 AND settled = FALSE";
    SET_WOULD = "INSERT INTO would_moves (seq, flow, env, old_commit, new_commit, began_wall, began_trusted)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (flow, env, old_commit, new_commit) WHERE settled = FALSE
        DO UPDATE SET seq = excluded.seq, ended_wall = NULL, ended_trusted = NULL, times = would_moves.times + 1";
    END_WOULD = "UPDATE would_moves SET ended_wall = $3, ended_trusted = $4
        WHERE flow = $1 AND env = $2 AND settled = FALSE AND ended_wall IS NULL";
    SETTLE_WOULD = "UPDATE would_moves SET settled = TRUE WHERE flow = $1 AND env = $2 AND settled = FALSE";

    BEHIND = "SELECT env, commit_id, since_wall, at_wall, at_trusted FROM behind WHERE flow = $1";
    SET_BEHIND = "INSERT INTO behind (flow, env, commit_id, since_wall, at_wall, at_trusted)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (flow, env) DO UPDATE SET commit_id = excluded.commit_id, since_wall = excluded.since_wall,
            at_wall = excluded.at_wall, at_trusted = excluded.at_trusted";
    PROPOSED = "SELECT env, head, before, at_wall, at_trusted, confirmed_wall, confirmed_trusted, passed_over,
            announced, until_trusted, pushed_number, pushed_head, pushed_open, asked FROM proposed WHERE flow = $1";
    PROPOSING = "SELECT flow, env, head, until_trusted FROM proposed WHERE until_trusted IS NOT NULL
        ORDER BY flow, env";
    SET_PROPOSED = "INSERT INTO proposed
            (flow, env, head, before, at_wall, at_trusted, confirmed_wall, confirmed_trusted, passed_over,
             announced, until_trusted, pushed_number, pushed_head, pushed_open, asked)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (flow, env) DO UPDATE SET head = excluded.head, before = excluded.before,
            at_wall = excluded.at_wall, at_trusted = excluded.at_trusted,
            confirmed_wall = excluded.confirmed_wall, confirmed_trusted = excluded.confirmed_trusted,
            passed_over = excluded.passed_over, announced = excluded.announced,
            until_trusted = excluded.until_trusted, pushed_number = excluded.pushed_number,
            pushed_head = excluded.pushed_head, pushed_open = excluded.pushed_open, asked = excluded.asked";
    // Of a row that is there nothing else changes.
    PASS_OVER = "INSERT INTO proposed
            (flow, env, head, before, at_wall, at_trusted, confirmed_wall, confirmed_trusted, passed_over,
             announced, until_trusted, pushed_number, pushed_head, pushed_open, asked)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (flow, env) DO UPDATE SET passed_over = excluded.passed_over";
    HEADS_UP = "SELECT env, newest, at_wall, told_wall, told_trusted FROM heads_up WHERE flow = $1";
    // Nothing where a later one was told already.
    SET_HEADS_UP = "INSERT INTO heads_up (flow, env, newest, at_wall, told_wall, told_trusted)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (flow, env) DO UPDATE SET newest = excluded.newest, at_wall = excluded.at_wall,
            told_wall = excluded.told_wall, told_trusted = excluded.told_trusted
        WHERE heads_up.told_trusted < excluded.told_trusted";
    // Nothing where another one was told since.
    TAKE_BACK = "DELETE FROM heads_up WHERE flow = $1 AND env = $2 AND newest = $3 AND at_wall = $4 AND told_wall = $5 AND told_trusted = $6";
    BLOCKED = "SELECT env, since_wall, since_trusted, told, verdict FROM blocked WHERE flow = $1";
    SET_BLOCKED = "INSERT INTO blocked (flow, env, since_wall, since_trusted, told, verdict)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (flow, env) DO UPDATE SET since_wall = excluded.since_wall,
            since_trusted = excluded.since_trusted, told = excluded.told, verdict = excluded.verdict";
    END_BLOCKED = "DELETE FROM blocked WHERE flow = $1 AND env = $2";
    END_BEHIND = "DELETE FROM behind WHERE flow = $1 AND env = $2";

    ADD_HAND_MOVE = "INSERT INTO hand_moves
            (seq, flow, env, at_wall, at_trusted, after_wall, old_commit, new_commit, way, would, stood)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    HAND_MOVES = "SELECT env, at_wall, at_trusted, after_wall, old_commit, new_commit, way, would, stood
        FROM hand_moves WHERE flow = $1 AND at_wall >= $2 ORDER BY seq";
    OWN_MOVES = "SELECT env, COUNT(*) AS moves FROM effects
        WHERE flow = $1 AND at_wall >= $2 GROUP BY env ORDER BY env";

    ADD_REPORT = "INSERT INTO reports
            (seq, flow, commit_id, name, on_branch, state, url, by_actor, at_wall, at_trusted)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    REPORTS = "SELECT commit_id, name, on_branch, state, url, by_actor, at_wall, at_trusted
        FROM reports WHERE flow = $1 AND commit_id = $2 ORDER BY seq";

    ADD_AUDIT = "INSERT INTO audit (seq, id, flow, flows, at_wall, by_actor, command, allowed, effect, came, asked)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING";
    // What was commanded of every flow concerns each of them.
    AUDIT = "SELECT seq, flow, flows, id, at_wall, by_actor, command, allowed, effect, came
        FROM audit WHERE ($1 IS NULL OR flow = $1 OR (flow IS NULL AND (flows IS NULL
                OR EXISTS (SELECT 1 FROM json_each(flows) WHERE value = $1))))
            AND seq < $3 ORDER BY seq DESC LIMIT $2";
    AUDIT_NEWEST = "SELECT MAX(seq) FROM audit";
    // What was refused changed nothing, and what Towpath itself records ($3) is no order.
    ORDERED_AFTER = "SELECT flow, flows FROM audit
        WHERE seq > $1 AND allowed = TRUE AND by_actor <> $3 ORDER BY seq LIMIT $2";
    AUDIT_AFTER = "SELECT seq, flow, flows, id, at_wall, by_actor, command, allowed, effect, came
        FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";

    ADD_TOKEN = "INSERT INTO tokens (id, name, hash, scope, flows, created_wall, created_by, expires_wall, email)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    TOKENS = "SELECT id, name, scope, flows, created_wall, created_by, expires_wall, revoked_wall, used_day, email
        FROM tokens ORDER BY created_wall, id";
    TOKEN = "SELECT id, name, hash, scope, flows, created_wall, created_by, expires_wall, revoked_wall, used_day, email
        FROM tokens WHERE id = $1";
    ADD_DELIVERY = "INSERT INTO deliveries (forge, id, at_wall) VALUES ($1, $2, $3) ON CONFLICT (forge, id) DO NOTHING";
    FORGET_DELIVERY = "DELETE FROM deliveries WHERE forge = $1 AND id = $2";
    HAS_DELIVERY = "SELECT 1 FROM deliveries WHERE forge = $1 AND id = $2";
    LAST_DELIVERY = "SELECT max(at_wall) FROM deliveries WHERE forge = $1";
    DISCOVERED = "SELECT forge, path, repo, since_wall, gone_wall, gone_why FROM discovered
        ORDER BY since_wall, forge, path";
    DISCOVER = "INSERT INTO discovered (forge, path, repo, since_wall, gone_wall, gone_why)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (forge, path)
        DO UPDATE SET repo = excluded.repo, gone_wall = excluded.gone_wall, gone_why = excluded.gone_why";
    ADD_NOTICE = "INSERT INTO notices (seq, id, sink, flow, env, at_wall, notice, state, attempts, next_wall)
        SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, $6, 'waiting', 0, $7 FROM notices WHERE TRUE
        ON CONFLICT (id) DO NOTHING";
    NOTICES = "SELECT id, sink, flow, env, at_wall, notice, state, attempts, next_wall, words
        FROM notices WHERE (state = $1 OR $1 IS NULL) ORDER BY seq DESC LIMIT $2";
    GIVEN_UP = "SELECT sink, COUNT(*) AS times FROM notices WHERE state = 'dead' AND next_wall > $1 GROUP BY sink";
    COUNT_NOTICES = "SELECT COUNT(*) FROM notices WHERE state = $1";
    NOTICES_DUE = "SELECT id, sink, flow, env, at_wall, notice, state, attempts, next_wall, words FROM
        (SELECT *, ROW_NUMBER() OVER (PARTITION BY sink ORDER BY attempts, seq) AS nth FROM notices
            WHERE state = 'waiting' AND (next_wall <= $1 OR next_wall > $3)) AS due
        WHERE nth <= $2 ORDER BY attempts, seq";
    NEXT_NOTICE = "SELECT MIN(next_wall) FROM notices WHERE state = 'waiting'";
    CLAIM_NOTICE = "UPDATE notices SET next_wall = $3, attempts = attempts + 1 WHERE id = $1 AND state = 'waiting' AND next_wall = $2";
    SETTLE_NOTICE = "UPDATE notices SET state = $2, attempts = $3, next_wall = $4, words = $5
        WHERE id = $1 AND state = 'waiting'";
    REVIVE_NOTICES = "UPDATE notices SET state = 'waiting', attempts = 0, next_wall = $2
        WHERE state = 'dead' AND id = $1";
    FORGET_NOTICES = "DELETE FROM notices WHERE state IN ('sent', 'dead') AND next_wall < $1";
    GIVE_UP_NOTICES = "UPDATE notices SET state = 'dead', next_wall = $3, words = $4
        WHERE sink = $1 AND state = 'waiting' AND at_wall < $2";
    TOLD_NOTICE = "UPDATE notices SET state = 'sent', next_wall = $2, words = $3 WHERE id = $1 AND state = 'waiting'";
    MESSAGES = "SELECT sink, channel, post, key, state, posted_wall, changed_wall, saying FROM messages
        WHERE sink = $1 AND (state = 'open' OR changed_wall >= $2)
        ORDER BY changed_wall DESC, channel DESC, post DESC LIMIT $3";
    KEEP_MESSAGE = "INSERT INTO messages (sink, channel, post, key, state, posted_wall, changed_wall, saying)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sink, channel, post)
        DO UPDATE SET key = excluded.key, state = excluded.state, changed_wall = excluded.changed_wall,
            saying = excluded.saying";
    OVERTAKE_MESSAGES = "UPDATE messages SET state = 'superseded'
        WHERE sink = $1 AND key = $2 AND state = 'open' AND NOT (channel = $3 AND post = $4)";
    FORGET_MESSAGES = "DELETE FROM messages WHERE changed_wall < $1";
    CLAIM_CHAT = "INSERT INTO chats (sink, claimed_wall) VALUES ($1, $2) ON CONFLICT (sink)
        DO UPDATE SET claimed_wall = excluded.claimed_wall WHERE chats.claimed_wall <= $3 OR chats.claimed_wall > $4";
    RELEASE_CHAT = "UPDATE chats SET claimed_wall = 0 WHERE sink = $1 AND claimed_wall = $2";
    LAST_DIGEST = "SELECT digest_wall FROM chats WHERE sink = $1";
    DIGEST_SENT = "INSERT INTO chats (sink, digest_wall, claimed_wall) VALUES ($1, $2, 0) ON CONFLICT (sink)
        DO UPDATE SET digest_wall = excluded.digest_wall";
    ADD_ASKED = "INSERT INTO asked (seq, place, once, at_wall, asked, state, until_wall, lane, after_seq)
        SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, 'waiting', 0, $5, (SELECT seq FROM counter WHERE id = 1)
        FROM asked WHERE TRUE ON CONFLICT (place, once) DO NOTHING";
    WAITING_ASKED = "SELECT (SELECT COUNT(*) FROM asked WHERE place = $1 AND once = $2),
        (SELECT COUNT(*) FROM asked WHERE state IN ('waiting', 'working') AND place = $1
            AND COALESCE(asked ->> 'user', asked ->> 'author') = $3),
        (SELECT COUNT(*) FROM asked WHERE state IN ('waiting', 'working'))";
    ASKED_STATES = "SELECT lane, state, holder, MIN(until_wall) AS until_wall, COUNT(*) AS many FROM asked
        WHERE state IN ('waiting', 'working') GROUP BY lane, state, holder";
    ASKED_LANELESS = "SELECT seq, place, once, at_wall, asked, turn, done, after_seq FROM asked
        WHERE state IN ('waiting', 'working') AND lane = '' ORDER BY seq LIMIT $1";
    SET_LANE = "UPDATE asked SET lane = $2 WHERE seq = $1";
    // `$2`: side by side, but one author's in their order and at most `$3` of a place. Otherwise none is begun while
    // another is. What is done waits for its answer alone.
    NEXT_ASKED = "SELECT seq, place, once, at_wall, asked, turn, done, after_seq FROM asked AS next
        WHERE state = 'waiting' AND lane = $1 AND (done = 1 OR NOT EXISTS
            (SELECT 1 FROM asked AS other WHERE other.state = 'working' AND other.lane = $1 AND other.done = 0
                AND (NOT $2 OR (other.place = next.place
                    AND LOWER(other.asked ->> 'author') = LOWER(next.asked ->> 'author')))))
            AND (NOT $2 OR (SELECT COUNT(*) FROM asked AS other
                WHERE other.state = 'working' AND other.lane = $1 AND other.place = next.place) < $3)
        ORDER BY seq LIMIT 1";
    BEGIN_ASKED = "UPDATE asked SET state = 'working', holder = $2, until_wall = $3, turn = turn + 1 WHERE seq = $1";
    KEEP_ASKED = "UPDATE asked SET until_wall = $2 WHERE state = 'working' AND holder = $1";
    FREE_ASKED = "UPDATE asked SET state = 'waiting', holder = '', turn = turn + $3,
            done = CASE done WHEN 1 THEN 1 ELSE 0 END
        WHERE state = 'working' AND holder = $1 AND until_wall <= $2";
    OWN_ASKED = "SELECT seq FROM asked WHERE state = 'working' AND holder = $1";
    DISOWN_ASKED = "UPDATE asked SET state = 'waiting', holder = '', done = CASE done WHEN 1 THEN 1 ELSE 0 END
        WHERE seq = $1 AND state = 'working' AND holder = $2";
    DO_ASKED = "UPDATE asked SET done = 1 WHERE seq = $1 AND turn = $2 AND state = 'working'";
    ANSWER_ASKED = "UPDATE asked SET done = CASE done WHEN 1 THEN 1 ELSE 2 END
        WHERE seq = $1 AND turn = $2 AND state = 'working'";
    SET_ASKED = "UPDATE asked SET asked = $3 WHERE seq = $1 AND turn = $2";
    ASKED_OF = "SELECT seq, place, once, at_wall, asked, turn, done, after_seq FROM asked
        WHERE place = $1 AND asked ->> 'user' = $2 AND at_wall >= $3 ORDER BY seq DESC LIMIT $4";
    // What was given back undone is nobody's to end.
    END_ASKED = "UPDATE asked SET state = 'ended', words = $3
        WHERE seq = $1 AND turn = $2 AND (state = 'working' OR done = 1)";
    AUDIT_ASKED = "SELECT id, flow, flows, at_wall, by_actor, command, allowed, effect, came FROM audit
        WHERE asked = $1 AND seq > $2 ORDER BY seq";
    AUDIT_LATER = "SELECT id, flow, flows, at_wall, by_actor, command, allowed, effect, came FROM audit
        WHERE seq > $1 AND allowed = TRUE AND (asked IS NULL OR asked > $2)
            AND (command LIKE $3 OR command LIKE $4 OR command LIKE $6) ORDER BY seq DESC LIMIT $5";
    FORGET_ASKED = "DELETE FROM asked WHERE state = 'ended' AND at_wall < $1";
    FORGET_DELIVERIES = "DELETE FROM deliveries WHERE at_wall < $1";
    USE_TOKEN = "UPDATE tokens SET used_day = $2 WHERE id = $1 AND (used_day IS NULL OR used_day < $2)";
    REVOKE_TOKEN = "UPDATE tokens SET revoked_wall = $2 WHERE id = $1 AND revoked_wall IS NULL";

    // `$2` is the prefix with `g` behind it: the first text after all that begin with the prefix.
    COMMITS_KNOWN = "SELECT tip AS commit_id FROM branches WHERE tip >= $1 AND tip < $2
        UNION SELECT commit_id FROM arrivals WHERE commit_id >= $1 AND commit_id < $2
        UNION SELECT commit_id FROM held WHERE commit_id >= $1 AND commit_id < $2
        UNION SELECT commit_id FROM holds WHERE commit_id >= $1 AND commit_id < $2
        UNION SELECT kept FROM holds WHERE kept >= $1 AND kept < $2
        UNION SELECT commit_id FROM reports WHERE commit_id >= $1 AND commit_id < $2
        UNION SELECT old_commit FROM intents WHERE old_commit >= $1 AND old_commit < $2
        UNION SELECT new_commit FROM intents WHERE new_commit >= $1 AND new_commit < $2
        ORDER BY 1 LIMIT $3";
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sqlx::{ConnectOptions, Executor, SqlSafeStr};

    #[tokio::test]
    async fn every_statement_fits_the_schema() {
        let mut conn = sqlx::sqlite::SqliteConnectOptions::new().connect().await.unwrap();
        for migration in crate::store::schema::migrations() {
            sqlx::raw_sql(migration.sql).execute(&mut conn).await.unwrap();
        }
        for (name, text) in super::ALL {
            let prepared = (&mut conn).prepare(text.into_sql_str()).await;
            assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
        }
    }
}
