package server

import "strings"

// accountID is the account of every resource: there is one, as in DynamoDB Local.
const accountID = "000000000000"

// localRegion is the region that DynamoDB Local puts into ARNs.
const localRegion = "ddblocal"

// arnRegion is the region that stands in ARNs of resources of this call.
func (c *call) arnRegion() string {
	if c.s.options.Local {
		return localRegion
	}
	return c.region
}

// tableARN is the ARN of a table of this call's namespace.
func (c *call) tableARN(table string) string {
	return "arn:aws:dynamodb:" + c.arnRegion() + ":" + accountID + ":table/" + table
}

// tableName resolves a TableName parameter, which may be a name or the ARN of a
// table. Faults are those of errors.md 2.4 (an ARN of another region, partition or
// kind) and an AccessDeniedException for another account.
func (c *call) tableName(nameOrARN string) (string, error) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN, nil
	}
	var part [6]string // arn, partition, service, region, account, resource
	rest, more := nameOrARN, true
	for i := range part {
		if !more {
			return "", validationText(enveloped("Invalid resource type in '" + nameOrARN + "'"))
		}
		if i == len(part)-1 {
			part[i] = rest
			break
		}
		part[i], rest, more = strings.Cut(rest, ":")
	}
	table, isTable := strings.CutPrefix(part[5], "table/")
	switch {
	case part[1] != "aws":
		return "", validationText(enveloped("Invalid AWS partition in '" + nameOrARN + "'"))
	case part[3] != c.arnRegion():
		return "", validationText(enveloped("Invalid AWS region in '" + nameOrARN + "'"))
	case part[2] != "dynamodb" || !isTable || table == "" || strings.Contains(table, "/"):
		return "", validationText(enveloped("Invalid resource type in '" + nameOrARN + "'"))
	case part[4] != accountID:
		return "", c.accessDenied(nameOrARN)
	}
	return table, nil
}
