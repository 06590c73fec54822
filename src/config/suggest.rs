//! "Did you mean": the nearest known word.

/// What people write who know other systems, and our word for it.
const SYNONYMS: &[(&str, &str)] = &[
    ("repo", "repository"),
    ("remote", "repository"),
    ("project", "repository"),
    ("timezone", "zone"),
    ("time_zone", "zone"),
    ("tz", "zone"),
    ("soak", "lag"),
    ("bake", "lag"),
    ("delay", "lag"),
    ("wait", "lag"),
    ("stage", "environment"),
    ("stages", "environment"),
    ("env", "environment"),
    ("envs", "environment"),
    ("pipeline", "flow"),
    ("interval", "look"),
    ("tick", "look"),
    ("poll", "look"),
    ("address", "listen"),
    ("port", "listen"),
    ("bind", "listen"),
    ("gate", "gates"),
    ("approvers", "approvals"),
    ("review", "approvals"),
    ("checks", "ci"),
    ("windows", "window"),
    ("cron", "schedule"),
    ("duration", "for"),
    ("approve", "approvals"),
    ("path", "file"),
    ("count", "required"),
    ("patterns", "match"),
];

/// The candidate that was probably meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    if lower.chars().count() > 64 {
        return None;
    }
    let synonym = SYNONYMS.iter().find(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours);
    let most = (lower.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| {
            let near = if Some(candidate) == synonym {
                0
            } else {
                strsim::damerau_levenshtein(&lower.replace('-', "_"), &candidate.to_lowercase().replace('-', "_"))
            };
            (near, candidate)
        })
        .filter(|(near, _)| *near <= most)
        .min_by_key(|(near, _)| *near)
        .map(|(_, candidate)| candidate)
}

/// The IANA zone that was probably meant: also by its city alone.
pub(super) fn zone(word: &str) -> Option<&'static str> {
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let lower = word.trim().to_lowercase().replace(' ', "_");
    let exact = names().find(|name| name.to_lowercase() == lower);
    let city = || names().find(|name| name.to_lowercase().rsplit('/').next() == Some(lower.as_str()));
    exact.or_else(city).or_else(|| nearest(word, names()))
}
