package server

import "strings"

// accountID is the account of every resource: there is one. Like any account of
// the service it is not the zero account, whose resources belong to nobody here.
const accountID = "111122223333"

// localAccountID and localRegion are what DynamoDB Local puts into ARNs.
const (
	localAccountID = "000000000000"
	localRegion    = "ddblocal"
)

// arnRegion is the region that stands in ARNs of resources of this call.
func (c *call) arnRegion() string {
	if c.s.options.Local {
		return localRegion
	}
	return c.region
}

// account is the account that stands in ARNs of resources of this call.
func (c *call) account() string {
	if c.s.options.Local {
		return localAccountID
	}
	return accountID
}

// tableARN is the ARN of a table of this call's namespace.
func (c *call) tableARN(table string) string {
	return "arn:aws:dynamodb:" + c.arnRegion() + ":" + c.account() + ":table/" + table
}

// tableName resolves a TableName parameter, which may be a name or the ARN of a
// table. Faults are those of the service: an ARN of another region, partition or
// kind, and an AccessDeniedException for another account.
func (c *call) tableName(nameOrARN string) (string, error) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN, nil
	}
	a, ok := parseARN(nameOrARN)
	table, isTable := strings.CutPrefix(a.resource, "table/")
	switch {
	case ok && a.partition != "aws":
		return "", validationText(enveloped("Invalid AWS partition in '" + nameOrARN + "'"))
	case ok && a.region != c.arnRegion():
		return "", validationText(enveloped("Invalid AWS region in '" + nameOrARN + "'"))
	case !ok || a.service != "dynamodb" || !isTable || table == "" || strings.Contains(table, "/"):
		return "", validationText(enveloped("Invalid resource type in '" + nameOrARN + "'"))
	case a.account != c.account():
		return "", c.accessDenied(nameOrARN)
	}
	return table, nil
}

// arn is a parsed Amazon resource name.
type arn struct {
	partition, service, region, account, resource string
}

// parseARN splits arn:partition:service:region:account:resource. ok is false if
// there are fewer parts.
func parseARN(s string) (a arn, ok bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return arn{}, false
	}
	return arn{parts[1], parts[2], parts[3], parts[4], parts[5]}, true
}
