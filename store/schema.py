"""The tables, and the views users query: numbered, named migrations, recorded in the store.

Row tables have no primary or foreign keys: a composite key makes ingest 7 times slower and the file 7 times larger.
`store.ingest` refuses duplicates instead.
"""

from contextlib import suppress
from datetime import UTC, datetime

import duckdb

from store.errors import LswError

_TABLES = """
CREATE TABLE recipe_run (
    recipe_run_id TEXT, recipe TEXT, title TEXT, scale TEXT, status TEXT, resolved JSON,
    started_at TIMESTAMP, seconds DOUBLE, error TEXT
);
CREATE TABLE recipe_stage (recipe_run_id TEXT, key TEXT, label TEXT, position INTEGER);
CREATE TABLE stage (
    key TEXT, kind TEXT, version INTEGER, status TEXT, parameters JSON, inputs JSON, environment JSON,
    summary JSON, started_at TIMESTAMP, seconds DOUBLE, error TEXT
);
CREATE TABLE collection (collection TEXT, name TEXT, fingerprint TEXT, first_seen TIMESTAMP);
CREATE TABLE source (key TEXT, collection TEXT);
CREATE TABLE query (collection TEXT, variety TEXT, qid TEXT, query TEXT, topic TEXT, split TEXT);
CREATE TABLE qrel (collection TEXT, qid TEXT, docno TEXT, label INTEGER);
CREATE TABLE run (
    run_id TEXT, recipe TEXT, recipe_run_id TEXT, scale TEXT, collection TEXT, system TEXT, trained_on TEXT,
    query_variety TEXT, document_variety TEXT, depth INTEGER, n_queries INTEGER, status TEXT,
    started_at TIMESTAMP, seconds DOUBLE, key TEXT
);
CREATE TABLE ranking (run_id TEXT, qid TEXT, docno TEXT, rank INTEGER, score DOUBLE);
CREATE TABLE scored_query (run_id TEXT, qid TEXT, query TEXT);
CREATE TABLE measure (run_id TEXT, measure TEXT, qid TEXT, value DOUBLE, key TEXT);
CREATE TABLE comparison (
    recipe_run_id TEXT, contrast TEXT, system TEXT, trained_on TEXT, variety TEXT, pair TEXT,
    baseline_run_id TEXT, run_id TEXT, measure TEXT, n INTEGER, n_groups INTEGER, mean_baseline DOUBLE, mean DOUBLE,
    delta DOUBLE, ci_low DOUBLE, ci_high DOUBLE, confidence DOUBLE, effect_size DOUBLE, test TEXT, resamples BIGINT,
    p_value DOUBLE, correction TEXT, family_size INTEGER, p_corrected DOUBLE, wins INTEGER, ties INTEGER,
    losses INTEGER, seed BIGINT, key TEXT
);
CREATE TABLE translation (
    translation_id TEXT, translator TEXT, source_variety TEXT, target_variety TEXT, qid TEXT, source_text TEXT,
    text TEXT, key TEXT
);
CREATE TABLE triple (
    key TEXT, qid TEXT, query TEXT, docno_positive TEXT, docno_negative TEXT, score_positive DOUBLE,
    score_negative DOUBLE
);
CREATE TABLE finetune (
    model_key TEXT, system TEXT, base TEXT, trained_on TEXT, examples INTEGER, steps INTEGER, learning_rate DOUBLE,
    loss_first DOUBLE, loss_last DOUBLE, weights_changed BOOLEAN, seconds DOUBLE, checkpoint TEXT
);
CREATE TABLE loss (model_key TEXT, step INTEGER, epoch DOUBLE, loss DOUBLE, learning_rate DOUBLE);
"""

_VIEWS = """
CREATE VIEW runs AS SELECT run_id, recipe, recipe_run_id, scale, collection, system, trained_on, query_variety,
    document_variety, depth, n_queries, status, started_at, seconds, key FROM run;
CREATE VIEW rankings AS SELECT run_id, qid, docno, rank, score FROM ranking;
CREATE VIEW queries AS SELECT collection, variety, qid, query, topic, split FROM query;
CREATE VIEW qrels AS SELECT collection, qid, docno, label FROM qrel;
CREATE VIEW measures AS SELECT run_id, measure, qid, value FROM measure;
CREATE VIEW comparisons AS SELECT * FROM comparison;
CREATE VIEW translations AS SELECT translation_id, translator, source_variety, target_variety, qid, source_text,
    text, key FROM translation;
CREATE VIEW triples AS SELECT * FROM triple;
CREATE VIEW finetunes AS SELECT * FROM finetune;
CREATE VIEW losses AS SELECT * FROM loss;
CREATE VIEW stages AS SELECT key, kind, status, parameters, inputs, environment, summary, started_at, seconds, error,
    version FROM stage;
CREATE VIEW recipe_runs AS SELECT * FROM recipe_run;
CREATE VIEW recipe_stages AS SELECT * FROM recipe_stage;
CREATE VIEW scored_queries AS SELECT * FROM scored_query;
"""

# docno in zstd: ingest a third faster, for a file a tenth larger; a run's number instead of its id: a fifth faster.
# score as trec_eval holds it.
_JUDGED = """
ALTER TABLE run ADD COLUMN number INTEGER;
UPDATE run SET number = n FROM (SELECT run_id AS r, row_number() OVER (ORDER BY started_at, run_id) AS n FROM run)
    WHERE run_id = r;
CREATE TABLE ranking_2 (number INTEGER, qid TEXT, docno TEXT USING COMPRESSION zstd, rank INTEGER, score FLOAT);
INSERT INTO ranking_2 SELECT number, qid, docno, rank, score FROM ranking JOIN run USING (run_id)
    ORDER BY number, qid, rank;
DROP TABLE ranking;
ALTER TABLE ranking_2 RENAME TO ranking;
CREATE OR REPLACE VIEW rankings AS SELECT run_id, qid, docno, rank, score FROM ranking JOIN run USING (number);
CREATE TABLE judged (run_id TEXT, qid TEXT, docno TEXT, rank INTEGER, label INTEGER, key TEXT);
CREATE TABLE evaluated (
    run_id TEXT, qid TEXT, retrieved INTEGER, labelled INTEGER, relevant INTEGER, highest INTEGER, key TEXT
);
CREATE TEMP TABLE asked AS SELECT run_id, qid, min(m.key) AS key FROM measure m GROUP BY ALL;
CREATE TEMP TABLE wanted AS
    SELECT a.run_id, a.qid, q.docno, q.label, a.key
    FROM asked a JOIN run r USING (run_id) JOIN qrel q ON q.collection = r.collection AND q.qid = a.qid;
INSERT INTO judged
    SELECT run_id, qid, docno, rank, label, w.key FROM rankings JOIN wanted w USING (run_id, qid, docno)
    ORDER BY run_id, qid, rank;
INSERT INTO evaluated
    SELECT run_id, qid, coalesce(retrieved, 0), labelled, relevant, highest, key
    FROM (SELECT run_id, qid, key, count(*) AS labelled, count(*) FILTER (label > 0) AS relevant,
              max(label) AS highest
          FROM wanted GROUP BY ALL)
    LEFT JOIN (SELECT run_id, qid, count(*) AS retrieved FROM rankings GROUP BY ALL) USING (run_id, qid)
    ORDER BY run_id, qid;
DROP TABLE asked;
DROP TABLE wanted;
CREATE VIEW judged_results AS SELECT run_id, qid, docno, rank, label FROM judged;
CREATE VIEW evaluated_queries AS SELECT run_id, qid, retrieved, labelled, relevant, highest FROM evaluated;
ALTER TABLE comparison ADD COLUMN interval TEXT;
ALTER TABLE comparison ADD COLUMN detectable DOUBLE;
ALTER TABLE comparison ADD COLUMN no_result INTEGER;
ALTER TABLE comparison ADD COLUMN no_relevant INTEGER;
UPDATE comparison SET interval = 'percentile';
CREATE OR REPLACE VIEW comparisons AS SELECT * FROM comparison;
"""


_AUDITED = """
CREATE TABLE audit (
    key TEXT, translation_id TEXT, translator TEXT, source_variety TEXT, target_variety TEXT, qid TEXT, chrf DOUBLE,
    bleu DOUBLE, ter DOUBLE, round_trip_chrf DOUBLE, language TEXT, confidence DOUBLE, signs TEXT
);
CREATE TABLE translation_cost (
    key TEXT, translator TEXT, source_variety TEXT, target_variety TEXT, quality TEXT, system TEXT, measure TEXT,
    rho DOUBLE, ci_low DOUBLE, ci_high DOUBLE, confidence DOUBLE, n INTEGER, n_groups INTEGER, seed BIGINT
);
CREATE VIEW audits AS SELECT * FROM audit;
CREATE VIEW translation_costs AS SELECT * FROM translation_cost;
"""


_BY_VARIETY = """
ALTER TABLE qrel ADD COLUMN document_variety TEXT;
CREATE OR REPLACE VIEW qrels AS SELECT collection, qid, docno, label, document_variety FROM qrel;
"""


_EXTRA = """
ALTER TABLE stage ADD COLUMN tables TEXT[];
CREATE TABLE extra (key TEXT, name TEXT, row JSON);
CREATE VIEW extras AS SELECT key, name, row FROM extra;
CREATE OR REPLACE VIEW stages AS SELECT key, kind, status, parameters, inputs, environment, summary, started_at,
    seconds, error, version, tables FROM stage;
"""


_OWN_RUNS = """
CREATE TABLE unasked (run_id TEXT, qid TEXT, key TEXT);
CREATE VIEW unasked_queries AS SELECT run_id, qid FROM unasked;
ALTER TABLE run ADD COLUMN seed BIGINT;
CREATE OR REPLACE VIEW runs AS SELECT run_id, recipe, recipe_run_id, scale, collection, system, trained_on,
    query_variety, document_variety, depth, n_queries, status, started_at, seconds, key, seed FROM run;
ALTER TABLE finetune ADD COLUMN seed BIGINT;
ALTER TABLE finetune ADD COLUMN held_out_queries INTEGER;
ALTER TABLE finetune ADD COLUMN held_out_first DOUBLE;
ALTER TABLE finetune ADD COLUMN held_out_last DOUBLE;
ALTER TABLE loss ADD COLUMN held_out DOUBLE;
CREATE OR REPLACE VIEW losses AS SELECT * FROM loss;
CREATE OR REPLACE VIEW finetunes AS SELECT * FROM finetune;
ALTER TABLE comparison ADD COLUMN left_out INTEGER;
ALTER TABLE comparison ADD COLUMN family TEXT;
ALTER TABLE comparison ADD COLUMN "primary" BOOLEAN;
ALTER TABLE comparison ADD COLUMN models INTEGER;
ALTER TABLE comparison ADD COLUMN model_deviation DOUBLE;
ALTER TABLE comparison ADD COLUMN share_closed DOUBLE;
ALTER TABLE comparison ADD COLUMN share_low DOUBLE;
ALTER TABLE comparison ADD COLUMN share_high DOUBLE;
ALTER TABLE comparison ADD COLUMN why_not TEXT;
UPDATE comparison SET family = 'all comparisons', "primary" = false, models = 1;
CREATE OR REPLACE VIEW comparisons AS SELECT * FROM comparison;
"""


_METHODS = """
ALTER TABLE finetune ADD COLUMN counts JSON;
CREATE OR REPLACE VIEW finetunes AS SELECT * FROM finetune;
CREATE TABLE alignment (
    model_key TEXT, id TEXT, source_position INTEGER, source_token TEXT, target_position INTEGER, target_token TEXT,
    weight FLOAT, weight_before FLOAT
);
CREATE VIEW alignments AS SELECT * FROM alignment;
"""


_STUDIES = """
ALTER TABLE recipe_run ADD COLUMN begun_at TIMESTAMP;
CREATE OR REPLACE VIEW recipe_runs AS SELECT * FROM recipe_run;
CREATE TABLE study (
    study_id TEXT, study TEXT, title TEXT, scale TEXT, analysis JSON, factors JSON, n_cells INTEGER, key TEXT
);
CREATE TABLE study_cell (
    study_id TEXT, cell INTEGER, position INTEGER, levels JSON, recipe_run_id TEXT, key TEXT
);
CREATE TABLE effect (
    study_id TEXT, cells INTEGER, analysis TEXT, effect TEXT, measure TEXT, system TEXT, trained_on TEXT,
    query_variety TEXT, document_variety TEXT, levels JSON, dose DOUBLE, estimate DOUBLE, ci_low DOUBLE, ci_high DOUBLE,
    confidence DOUBLE, unit TEXT, n INTEGER, n_groups INTEGER, models INTEGER, test TEXT, p_value DOUBLE,
    correction TEXT, family TEXT, family_size INTEGER, p_corrected DOUBLE, why_not TEXT, detail JSON, key TEXT
);
CREATE TABLE inspection (
    collection TEXT, model_a TEXT, model_b TEXT, aspect TEXT, texts TEXT, layer INTEGER, module TEXT, variety TEXT,
    against TEXT, value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, confidence DOUBLE, n INTEGER, n_groups INTEGER,
    why_not TEXT, key TEXT
);
CREATE TABLE similarity (
    collection TEXT, low TEXT, high TEXT, feature TEXT, tokenizer TEXT, value DOUBLE, n INTEGER, source TEXT,
    why_not TEXT, key TEXT
);
CREATE TABLE query_similarity (
    collection TEXT, low TEXT, high TEXT, qid TEXT, feature TEXT, tokenizer TEXT, value DOUBLE, key TEXT
);
CREATE TABLE parent (
    collection TEXT, docno TEXT, parent TEXT, position INTEGER, begins INTEGER, ends INTEGER, key TEXT
);
CREATE VIEW study_cells AS
    SELECT study_id, cell, position, levels, recipe_run_id, coalesce(status, 'waiting') AS status, started_at, seconds
    FROM study_cell LEFT JOIN recipe_run USING (recipe_run_id);
CREATE VIEW effects AS
    SELECT e.* FROM effect e JOIN (
        SELECT study_id, key
        FROM (SELECT DISTINCT study_id, key, cells FROM effect) LEFT JOIN (
            SELECT t.key, max(coalesce(begun_at, r.started_at)) AS begun
            FROM recipe_stage t JOIN recipe_run r USING (recipe_run_id) GROUP BY t.key
        ) USING (key)
        QUALIFY row_number() OVER (PARTITION BY study_id ORDER BY begun DESC NULLS LAST, cells DESC, key) = 1
    ) USING (study_id, key);
CREATE VIEW studies AS
    SELECT study_id, study, title, scale, analysis, factors, n_cells,
        (SELECT count(*) FROM study_cell c JOIN recipe_run r USING (recipe_run_id)
         WHERE c.study_id = s.study_id AND r.status = 'done') AS done,
        (SELECT max(cells) FROM effects e WHERE e.study_id = s.study_id) AS analysed,
        coalesce(
            (SELECT max(coalesce(begun_at, r.started_at)) FROM recipe_stage t JOIN recipe_run r USING (recipe_run_id)
             WHERE t.key = s.key),
            (SELECT max(coalesce(begun_at, r.started_at)) FROM study_cell c JOIN recipe_run r USING (recipe_run_id)
             WHERE c.study_id = s.study_id)
        ) AS begun_at, key
    FROM study s;
CREATE VIEW inspections AS SELECT * FROM inspection;
CREATE VIEW similarities AS SELECT * FROM similarity;
CREATE VIEW query_similarities AS SELECT * FROM query_similarity;
CREATE VIEW parents AS SELECT collection, docno, parent, position, begins, ends, key FROM parent;
"""


def utc_now() -> datetime:
    """The time in UTC without a zone, as every TIMESTAMP of the store is."""
    return datetime.now(UTC).replace(tzinfo=None)


MIGRATIONS: list[tuple[int, str, str]] = [
    (1, "tables and views of the contract", _TABLES + _VIEWS),
    (2, "what is judged in each run; intervals and what could have been detected", _JUDGED),
    (3, "audits of translations", _AUDITED),
    (4, "judgements of the passages of one variety", _BY_VARIETY),
    (5, "the tables that a stage filled; rows of plug-ins", _EXTRA),
    (6, "comparisons over their own runs; seeds; queries never asked", _OWN_RUNS),
    (7, "what a training counted; how its objective aligned tokens", _METHODS),
    (8, "studies and their effects; inspected models; similarities; passages of pages", _STUDIES),
]
"""Number, name, SQL. Append only: what was released is never edited."""

LATEST = MIGRATIONS[-1][0]

VIEWS = {
    "runs": "a run: recipe, scale, collection, system, trained_on, query and document variety, depth, status, time",
    "rankings": "a result: run_id, qid, docno, rank (from 0), score; ties as trec_eval breaks them",
    "queries": "a query: its text in one variety of one collection, its topic and split",
    "qrels": "a judgement: of the passages of one variety, where each has its own",
    "measures": "a run, measure and query: the value",
    "comparisons": "a contrast and measure: n, means, delta, interval, effect size, p, family; or why it was not made",
    "translations": "a low-resource wording with the source it was made from",
    "finetunes": "a trained model: what on, how long, its losses, whether its weights changed, what its method counted",
    "stages": "a stage: kind, parameters, inputs, environment, seconds, error, the tables it filled",
    "triples": "a training triple with the scores that mined it",
    "losses": "a logged step of a training: its loss, or `held_out`, RR@10 of queries it is not trained on",
    "alignments": "a token of a low-resource text and one of its other wording: how much of it is carried there",
    "recipe_runs": "a recipe run: the recipe as it was resolved, how it ended",
    "recipe_stages": "a stage of a recipe run, in order",
    "scored_queries": "a query's text as a run scored it (after script conversion)",
    "judged_results": "a judged passage in a ranking: rank, label",
    "evaluated_queries": "a judged query of a run: how many results, labels, relevant passages, highest label",
    "unasked_queries": "a judged query that a run was never asked: its variety has no wording of it",
    "audits": "an audited translation: chrF, BLEU, TER, round trip, language, signs of faults",
    "translation_costs": "a system and kind of quality: the correlation of quality with what queries lose",
    "studies": "a grid of recipe runs: its factors and their levels, how many cells are done, how many analysed",
    "study_cells": "a cell of a study: its level of each factor, and the recipe run that it is",
    "effects": "what a study found, by its analysis begun last: an estimate, its interval, test and levels; or why not",
    "inspections": "two models beside each other: by layer, module and variety, how alike they are",
    "similarities": "a pair of varieties and a feature: how similar they are, under which tokenizer, from which source",
    "query_similarities": "a query in its two wordings and a feature: how similar they are",
    "parents": "a passage joined to a page, or a window cut from one: the page, and its place there",
    "extras": "a row of a table that is a plug-in's: the table's name, and the row as JSON",
}
"""The views users may rely on, and what one row of each is."""


def version(con: duckdb.DuckDBPyConnection) -> int:
    """Number of the last migration applied, 0 for an empty file."""
    try:  # every read asks this: asking the catalogue first takes 8 ms
        [row] = con.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchall()
    except duckdb.CatalogException:
        return 0
    return int(row[0])


def migrate(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Apply what is missing, each migration in its own transaction. Returns the names of those applied.

    Raises:
        LswError: the store was written by a newer lsw.
    """
    at = version(con)
    if at > LATEST:
        raise LswError(
            f"This store has schema {at}; this lsw knows up to {LATEST}.",
            cure="Upgrade: `pip install --upgrade lsw-workbench`.",
        )
    applied = []
    for number, name, sql in MIGRATIONS:
        if number <= at:
            continue
        con.begin()
        try:
            con.execute(
                "CREATE TABLE IF NOT EXISTS migrations"
                " (number INTEGER, name TEXT, applied_at TIMESTAMP, duckdb_version TEXT)"
            )
            con.execute(sql)
            con.execute("INSERT INTO migrations VALUES (?, ?, ?, ?)", [number, name, utc_now(), duckdb.__version__])
            con.commit()
        except BaseException:
            with suppress(duckdb.Error):  # a full disk has ended the transaction already
                con.rollback()
            raise
        applied.append(name)
    return applied
