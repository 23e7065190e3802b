package expression

// Kind is the request parameter that an expression came in. It selects the
// grammar and appears in error texts.
type Kind int

// The five expression parameters.
const (
	KindCondition Kind = iota
	KindFilter
	KindKeyCondition
	KindProjection
	KindUpdate
)

// String returns the name of the request parameter, such as
// "ConditionExpression".
func (k Kind) String() string {
	switch k {
	case KindCondition:
		return "ConditionExpression"
	case KindFilter:
		return "FilterExpression"
	case KindKeyCondition:
		return "KeyConditionExpression"
	case KindProjection:
		return "ProjectionExpression"
	case KindUpdate:
		return "UpdateExpression"
	}
	return "Expression"
}
