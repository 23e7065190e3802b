package item

// Type is the type of an attribute value. Its number is also the first byte of
// the value's stored form, so the numbers are part of the format on disk.
type Type byte

// The ten types of the DynamoDB data model.
const (
	S    Type = iota + 1 // string, UTF-8
	N                    // number, exact decimal
	B                    // binary
	BOOL                 // boolean
	NULL                 // null
	M                    // map
	L                    // list
	SS                   // set of strings
	NS                   // set of numbers
	BS                   // set of binaries
)

var typeTags = [...]string{S: "S", N: "N", B: "B", BOOL: "BOOL", NULL: "NULL", M: "M", L: "L", SS: "SS", NS: "NS", BS: "BS"}

// String returns the member name that stands for the type in an AttributeValue
// on the wire: "S", "N", "BOOL" and so on. It is "" for an unknown type.
func (t Type) String() string {
	if int(t) >= len(typeTags) {
		return ""
	}
	return typeTags[t]
}

// ParseType is the inverse of [Type.String]. Tags are case-sensitive.
func ParseType(tag string) (Type, bool) {
	switch tag {
	case "S":
		return S, true
	case "N":
		return N, true
	case "B":
		return B, true
	case "BOOL":
		return BOOL, true
	case "NULL":
		return NULL, true
	case "M":
		return M, true
	case "L":
		return L, true
	case "SS":
		return SS, true
	case "NS":
		return NS, true
	case "BS":
		return BS, true
	}
	return 0, false
}

func (t Type) isSet() bool { return t >= SS && t <= BS }

// member returns the type of a set's members: S for SS, N for NS, B for BS.
func (t Type) member() Type { return t - SS + S }
