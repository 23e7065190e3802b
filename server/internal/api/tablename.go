package api

import "strings"

// Tables are named by name or by ARN. The model allows 1 to 1024 characters of
// anything for both; what the service checks of a name depends on the operation.
const (
	minNewTableName = 3
	maxTableName    = 255
	maxTableARN     = 1024
)

// isARN reports whether a table name is to be read as an ARN, whose form the
// operations check themselves.
func isARN(name string) bool { return strings.HasPrefix(name, "arn:") }

// tableName checks the table of an item operation, whose empty name has the
// newer form. Names of one and two characters pass: no such table exists.
func (vs *Violations) tableName(v Optional[string], p path) {
	vs.required(v.Present, p)
	if v.Present && v.Value == "" {
		vs.addNew(p, ruleShort+"1")
		return
	}
	vs.nameOrARN(v, 1, p)
}

// tableNameOld is tableName all in the older form.
func (vs *Violations) tableNameOld(v Optional[string], p path) {
	vs.required(v.Present, p)
	if v.Present && v.Value == "" {
		vs.add(p, "", ruleShort+"1")
		return
	}
	vs.nameOrARN(v, 1, p)
}

// controlTableName checks the table of an operation on tables.
func (vs *Violations) controlTableName(v Optional[string], p path) {
	if !v.Present {
		vs.addBare("The parameter 'TableName' is required but was not present in the request")
		return
	}
	vs.nameOrARN(v, minNewTableName, p)
}

// newTableName checks the name of a table to be created, which is no ARN.
func (vs *Violations) newTableName(v Optional[string], p path) {
	if !v.Present {
		vs.addBare("The parameter 'TableName' is required but was not present in the request")
		return
	}
	vs.length(v, minNewTableName, maxTableName, p)
	vs.pattern(v, p)
}

// nameOrARN checks a present name, its length before its characters, or the
// length of an ARN.
func (vs *Violations) nameOrARN(v Optional[string], minimum int, p path) {
	if isARN(v.Value) {
		vs.length(v, minimum, maxTableARN, p)
		return
	}
	vs.length(v, minimum, maxTableName, p)
	vs.pattern(v, p)
}
