//! Django: every field of a model is named in each SELECT and INSERT, and nothing else is.

use super::python::{Class, classes};
use super::{Belongs, Field, FieldKind, Mapper, Model, Row, argument, literal};
use crate::evidence::language::Language;
use crate::evidence::words::compact;

pub(super) const ROW: Row = Row {
    mapper: Mapper::Django,
    title: "Django",
    language: Language::Python,
    marks: &["models.", "Model", "Field(", "ForeignKey(", "Mixin"],
    read,
};

fn read(text: &str) -> Vec<Model> {
    classes(text).iter().filter_map(model).collect()
}

fn model(class: &Class<'_>) -> Option<Model> {
    if class.entries.iter().any(|entry| matches!(entry.name, "__tablename__" | "__table__" | "__mapper_args__")) {
        return None;
    }
    let fields: Vec<Field> = class
        .entries
        .iter()
        .filter_map(|entry| {
            let kind = kind(entry.callee(), entry.value)?;
            let column = argument(entry.value, "db_column").map(str::to_owned);
            Some(Field { name: entry.name.to_owned(), column, kind, line: entry.line })
        })
        .collect();
    let bases = class.base_names();
    let is_model = bases.iter().any(|base| is_model_base(base))
        && !class.bases.iter().any(|base| {
            ["serializers.", "forms.", "graphene.", "admin.", "factory."].iter().any(|of| base.starts_with(of))
        });
    if fields.is_empty() && bases.is_empty() {
        return None;
    }
    // A form or a serializer has fields of the same names and no table.
    if bases.iter().any(|base| {
        [
            "Serializer",
            "Form",
            "Filter",
            "FilterSet",
            "ObjectType",
            "Factory",
            "Admin",
            "Mutation",
            "InputObjectType",
        ]
        .iter()
        .any(|end| base.ends_with(end))
    }) {
        return None;
    }
    let meta = |name: &str| class.meta.iter().find(|entry| entry.name == name).map(|entry| entry.value.trim());
    let truth = |name: &str| meta(name).is_some_and(|value| value.starts_with("True"));
    let mut bases = bases;
    bases.retain(|base| base != "object" && base != "Meta");
    Some(Model {
        mapper: Mapper::Django,
        class: class.name.to_owned(),
        table: meta("db_table").and_then(literal).map(str::to_owned),
        bases,
        // An interface's type may have fields of like names: `models.` or a base tells.
        derived: !is_model && !class.entries.iter().any(|entry| entry.callee().starts_with("models.")),
        fields,
        open: false,
        part: truth("abstract") || !is_model && class.base_names().is_empty(),
        line: class.line,
    })
}

fn is_model_base(base: &str) -> bool {
    base.ends_with("Model") || known_base(base).is_some()
}

/// What a field's class is to its table; `None` for what is no field of the model.
fn kind(callee: &str, value: &str) -> Option<FieldKind> {
    if callee == "deprecate_field" || callee.ends_with(".deprecate_field") {
        return Some(FieldKind::Ignored);
    }
    let (module, name) = callee.rsplit_once('.').unwrap_or(("", callee));
    if matches!(
        module,
        "serializers" | "forms" | "graphene" | "filters" | "django_filters" | "factory" | "fields" | "ma"
    ) {
        return None;
    }
    if name.contains("ManyToMany") || name == "GenericRelation" || name == "GenericForeignKey" {
        return None;
    }
    if name.ends_with("ForeignKey") || name.starts_with("OneToOne") {
        return Some(FieldKind::Association);
    }
    let field = name.ends_with("Field")
        || module == "models"
            && name.starts_with(|first: char| first.is_uppercase())
            && !matches!(name, "Index" | "Q" | "F" | "UniqueConstraint" | "CheckConstraint" | "Manager");
    (field && value.contains('(') && !name.starts_with("Serializer")).then_some(FieldKind::Column)
}

/// Django's name of a table is its application and its class in lower case.
pub(super) fn belongs(class: &str, path: &str, table: &str) -> Option<Belongs> {
    let class = compact(class);
    let table = table.to_lowercase();
    let app = table.strip_suffix(&class)?.strip_suffix('_')?;
    if app.is_empty() {
        return None;
    }
    let said = path.to_lowercase().split('/').any(|part| part == app);
    Some(if said { Belongs::Convention } else { Belongs::Perhaps })
}

/// Bases of Django and its neighbours, with the columns they bring.
pub(super) fn known_base(base: &str) -> Option<&'static [&'static str]> {
    Some(match base {
        "Model"
        | "object"
        | "ABC"
        | "Generic"
        | "DirtyFieldsMixin"
        | "ClusterableModel"
        | "PolymorphicModelBase" => &["id"],
        "AbstractBaseUser" => &["password", "last_login"],
        "PermissionsMixin" => &["is_superuser"],
        "AbstractUser" => &[
            "id",
            "password",
            "last_login",
            "is_superuser",
            "username",
            "first_name",
            "last_name",
            "email",
            "is_staff",
            "is_active",
            "date_joined",
        ],
        "TimeStampedModel" => &["id", "created", "modified"],
        "SoftDeletableModel" => &["id", "is_removed"],
        "StatusModel" => &["id", "status", "status_changed"],
        "UUIDModel" => &["id"],
        "MPTTModel" => &["id", "lft", "rght", "tree_id", "level", "parent"],
        "MP_Node" => &["id", "path", "depth", "numchild"],
        "PolymorphicModel" => &["id", "polymorphic_ctype_id"],
        "TextChoices" | "IntegerChoices" => &[],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Belongs;
    use super::{FieldKind, belongs, read};

    #[test]
    fn fields_are_read_with_their_columns() {
        let models = read(
            "class Person(TimeStamped, models.Model):\n    nick = models.CharField(\n        max_length=5, db_column='nickname',\n    )\n    boss = models.ForeignKey('self', on_delete=models.CASCADE)\n    tags = models.ManyToManyField(Tag)\n    old = deprecate_field(models.TextField())\n    place = PlaceField()\n    KIND = [1]\n    objects = Manager()\n\n    class Meta:\n        db_table = \"people\"\n\nclass PersonForm(forms.ModelForm):\n    nick = forms.CharField()\nclass PersonSerializer(serializers.ModelSerializer):\n    nick = serializers.CharField()\nclass TimeStamped(models.Model):\n    made = models.DateTimeField()\n    class Meta:\n        abstract = True\n",
        );
        assert_eq!(models.len(), 2);
        let fields = models[0].told();
        assert_eq!(
            fields,
            [
                ("nick", Some("nickname"), FieldKind::Column),
                ("boss", None, FieldKind::Association),
                ("old", None, FieldKind::Ignored),
                ("place", None, FieldKind::Column),
            ]
        );
        assert_eq!(models[0].table.as_deref(), Some("people"));
        assert!(models[1].part && !models[0].part);
    }

    #[test]
    fn a_table_is_its_application_and_class() {
        for (class, path, table, expected) in [
            ("OrderItem", "shop/models.py", "shop_orderitem", Some(Belongs::Convention)),
            ("OrderItem", "src/shop/models/order.py", "shop_orderitem", Some(Belongs::Convention)),
            ("OrderItem", "other/models.py", "shop_orderitem", Some(Belongs::Perhaps)),
            ("Item", "shop/models.py", "shop_orderitem", None),
            ("OrderItem", "shop/models.py", "orderitem", None),
        ] {
            assert_eq!(belongs(class, path, table), expected, "{class} {path}");
        }
    }
}
