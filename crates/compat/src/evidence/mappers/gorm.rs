//! GORM: an insert names every field of the struct, and a SELECT of a smaller struct names its fields.

use super::{Field, FieldKind, Mapper, Model, Row, literal, word};
use crate::evidence::language::Language;

pub(super) const ROW: Row = Row {
    mapper: Mapper::Gorm,
    title: "GORM",
    language: Language::Go,
    marks: &["gorm.", "gorm:\"", "TableName()", "bun:\"", "bun.BaseModel"],
    read,
};

fn read(text: &str) -> Vec<Model> {
    let mut models: Vec<Model> = vec![];
    let mut inside = false;
    let mut depth = 0_i64;
    for (line, number) in text.lines().zip(1_u32..) {
        let code = line.trim();
        if let Some(name) = code.strip_prefix("type ").filter(|rest| rest.ends_with("struct {")).map(word) {
            models.push(Model {
                mapper: Mapper::Gorm,
                class: name.to_owned(),
                table: None,
                bases: vec![],
                fields: vec![],
                derived: false,
                open: false,
                part: false,
                line: number,
            });
            (inside, depth) = (true, 1);
            continue;
        }
        if inside {
            depth += code.matches('{').count() as i64 - code.matches('}').count() as i64;
            if depth <= 0 {
                inside = false;
            } else if let Some(model) = models.last_mut().filter(|_| depth == 1) {
                member(model, code, number);
            }
        }
    }
    for (at, _) in text.match_indices(") TableName() string").take(1_000) {
        let receiver = text[..at].rsplit('(').next().unwrap_or_default();
        let class = receiver.rsplit([' ', '*']).next().unwrap_or_default();
        let body = text.get(at..).unwrap_or_default();
        let said =
            body.split_once("return").and_then(|(_, value)| literal(value.lines().next()?)).map(str::to_owned);
        for model in models.iter_mut().filter(|model| model.class == class) {
            model.table.clone_from(&said);
        }
    }
    models.retain(|model| !model.fields.is_empty() || !model.bases.is_empty());
    models
}

fn member(model: &mut Model, code: &str, line: u32) {
    let (declared, tags) = code.split_once('`').unwrap_or((code, ""));
    let tag = |name: &str| tags.split_once(&format!("{name}:\"")).and_then(|(_, rest)| rest.split('"').next());
    let mut words = declared.split_whitespace();
    let Some(name) = words.next() else { return };
    let gorm = tag("gorm").unwrap_or_default();
    let Some(ty) = words.next().filter(|ty| !ty.starts_with("//")) else {
        // An embedded struct.
        model.bases.push(name.rsplit(['.', '*']).next().unwrap_or(name).to_owned());
        return;
    };
    if name == "bun.BaseModel"
        || gorm.contains("many2many")
        || gorm.contains("foreignKey")
        || ty.starts_with("[]") && !is_scalar(ty)
    {
        return;
    }
    if gorm.split(';').any(|part| part.trim() == "embedded") {
        let class = ty.rsplit(['.', '*']).next().unwrap_or(ty).to_owned();
        let prefix = gorm.split(';').find_map(|part| part.trim().strip_prefix("embeddedPrefix:"));
        match prefix {
            Some(prefix) => model.fields.push(Field {
                name: prefix.to_owned(),
                column: Some(class),
                kind: FieldKind::Embedded,
                line,
            }),
            None => model.bases.push(class),
        }
        return;
    }
    let said =
        gorm.split(';').find_map(|part| part.trim().strip_prefix("column:")).map(str::to_owned).or_else(|| {
            ["bun", "db"]
                .iter()
                .find_map(|of| tag(of))
                .and_then(|tag| tag.split(',').next())
                .filter(|name| !name.is_empty() && *name != "-")
                .map(str::to_owned)
        });
    let ignored = gorm.starts_with('-') || tag("db") == Some("-") || tag("bun") == Some("-");
    let kind = if ignored { FieldKind::Ignored } else { FieldKind::Column };
    model.fields.push(Field { name: name.to_owned(), column: said, kind, line });
}

fn is_scalar(ty: &str) -> bool {
    matches!(ty, "[]byte" | "[]string" | "[]int" | "[]int64" | "[]uint8")
}

#[cfg(test)]
mod tests {
    use super::{FieldKind, read};

    #[test]
    fn structs_are_read() {
        let models = read(
            "package m\nimport \"gorm.io/gorm\"\ntype Person struct {\n\tgorm.Model\n\tNickName string `gorm:\"size:9;column:nick\" json:\"n\"`\n\tAge int\n\tPosts []Post\n\tOld string `gorm:\"-\"`\n}\nfunc (*Person) TableName() string { return \"people\" }\ntype I interface {\n\tF()\n}\n",
        );
        assert_eq!(models.len(), 1);
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("NickName", Some("nick"), FieldKind::Column),
                ("Age", None, FieldKind::Column),
                ("Old", None, FieldKind::Ignored)
            ]
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert_eq!(models[0].bases, ["Model"]);
    }
}
