package partiql

import (
	"strings"
)

// The printer writes a syntax tree as the text that parses to it.
type printer struct{ strings.Builder }

func printStatement(s *statementSyntax) string {
	var p printer
	switch {
	case s.Select != nil:
		p.selection(s.Select)
	case s.Insert != nil:
		p.words("INSERT INTO")
		p.parts(s.Insert.Into.Path)
		if s.Insert.Value != nil {
			p.words("VALUE")
			p.or(s.Insert.Value)
		} else {
			p.or(s.Insert.Values)
		}
	case s.Update != nil:
		p.words("UPDATE")
		p.source(s.Update.Table)
		p.changes(s.Update.Changes)
		p.where(s.Update.Where)
		p.returning(s.Update.Returning)
	case s.FromUpdate != nil:
		p.words("FROM")
		p.source(s.FromUpdate.Table)
		p.where(s.FromUpdate.Where)
		p.changes(s.FromUpdate.Changes)
		p.returning(s.FromUpdate.Returning)
	case s.Delete != nil:
		p.words("DELETE FROM")
		p.source(s.Delete.Table)
		p.where(s.Delete.Where)
		p.returning(s.Delete.Returning)
	case s.Exists != nil:
		p.words("EXISTS (")
		p.selection(s.Exists.Select)
		p.words(")")
	default:
		p.or(s.Expression)
	}
	return p.String()
}

func (p *printer) words(words ...string) {
	for _, w := range words {
		p.WriteString(w)
		p.WriteByte(' ')
	}
}

func (p *printer) list(n int, print func(i int)) {
	for i := range n {
		if i > 0 {
			p.words(",")
		}
		print(i)
	}
}

func (p *printer) expressions(list []*orSyntax) { p.list(len(list), func(i int) { p.or(list[i]) }) }

func (p *printer) selection(s *selectSyntax) {
	p.words("SELECT", s.Quantifier)
	p.list(len(s.Items), func(i int) {
		if item := s.Items[i]; item.Star {
			p.words("*")
		} else {
			p.or(item.Expression)
			p.alias(item.Alias)
		}
	})
	p.words("FROM")
	p.source(s.From)
	for _, m := range s.More {
		p.words(",")
		p.source(m)
	}
	p.where(s.Where)
	p.clause("GROUP BY", s.Group)
	p.clause("HAVING", s.Having)
	if len(s.Order) > 0 {
		p.words("ORDER BY")
		p.list(len(s.Order), func(i int) {
			p.simplePath(s.Order[i].Path)
			p.words(s.Order[i].Direction)
		})
	}
	p.clause("LIMIT", s.Limit)
}

func (p *printer) clause(words string, c *clauseSyntax) {
	if c != nil {
		p.words(words)
		p.expressions(c.Terms)
	}
}

func (p *printer) alias(name string) {
	if name != "" {
		p.words("AS", name)
	}
}

func (p *printer) source(s *sourceSyntax) {
	p.parts(s.Path)
	p.alias(s.Alias)
}

func (p *printer) parts(parts []*partSyntax) {
	for i, part := range parts {
		if i > 0 {
			p.words(".")
		}
		p.words(part.Name)
	}
}

func (p *printer) where(n *orSyntax) {
	if n != nil {
		p.words("WHERE")
		p.or(n)
	}
}

func (p *printer) returning(r *returningSyntax) {
	if r != nil {
		p.words("RETURNING", r.Scope, r.Image, "*")
	}
}

func (p *printer) changes(changes []*changeSyntax) {
	for _, c := range changes {
		if len(c.Set) > 0 {
			p.words("SET")
			p.list(len(c.Set), func(i int) {
				p.simplePath(c.Set[i].Path)
				p.words("=")
				p.or(c.Set[i].Value)
			})
		} else {
			p.words("REMOVE")
			p.list(len(c.Remove), func(i int) { p.simplePath(c.Remove[i]) })
		}
	}
}

func (p *printer) simplePath(n *simplePathSyntax) {
	p.words(n.Name)
	p.steps(n.Steps)
}

func (p *printer) or(n *orSyntax) {
	if n.Alone != "" {
		p.literal(n.Alone)
		return
	}
	for i, t := range n.Terms {
		if i > 0 {
			p.words("OR")
		}
		for j, r := range t.Terms {
			if j > 0 {
				p.words("AND")
			}
			p.words(r.Not...)
			p.sum(r.Left)
			for _, m := range r.More {
				p.compare(m)
			}
		}
	}
}

func (p *printer) compare(n *compareSyntax) {
	switch {
	case n.Comparator != "":
		p.words(n.Comparator)
		p.sum(n.Right)
	case n.Is != nil:
		p.words("IS")
		if n.Is.Not {
			p.words("NOT")
		}
		p.words(n.Is.Type)
	case n.NotRange != nil:
		p.words("NOT")
		p.between(n.NotRange)
	default:
		p.between(n.Range)
	}
}

func (p *printer) between(n *rangeSyntax) {
	switch {
	case n.Low != nil:
		p.words("BETWEEN")
		p.sum(n.Low)
		p.words("AND")
		p.sum(n.High)
	case n.In != nil:
		p.words("IN")
		p.sum(n.In)
	default:
		p.words("LIKE")
		p.sum(n.Like)
	}
}

func (p *printer) sum(n *sumSyntax) {
	p.operand(n.Left)
	for _, m := range n.More {
		p.words(m.Operator)
		p.operand(m.Right)
	}
}

func (p *printer) literal(text string) {
	if text != "" && text[0] == '?' {
		text = "?"
	}
	p.words(text)
}

func (p *printer) operand(u *operandSyntax) {
	p.words(u.Signs...)
	switch {
	case u.Literal != "":
		p.literal(u.Literal)
	case u.Name != "":
		p.words(u.Name)
		p.call(u.Call)
	case u.Function != "":
		p.words(u.Function)
		p.call(u.Args)
	case u.Group != nil:
		p.words("(")
		p.expressions(u.Group)
		p.words(")")
	case u.List != nil:
		p.words("[")
		p.expressions(u.List.Elements)
		p.words("]")
	case u.Bag != nil:
		p.words("<<")
		p.expressions(u.Bag.Members)
		p.words(">>")
	case u.Struct != nil:
		p.words("{")
		p.list(len(u.Struct.Fields), func(i int) {
			p.words(u.Struct.Fields[i].Name, ":")
			p.or(u.Struct.Fields[i].Value)
		})
		p.words("}")
	}
	p.steps(u.Steps)
}

func (p *printer) call(c *callSyntax) {
	if c == nil {
		return
	}
	p.words("(")
	if c.Star {
		p.words("*")
	}
	p.expressions(c.Args)
	p.words(")")
}

func (p *printer) steps(steps []*stepSyntax) {
	for _, s := range steps {
		switch {
		case s.Name != "":
			p.words(".", s.Name)
		case s.Star:
			p.words(".", "*")
		case s.Each:
			p.words("[", "*", "]")
		default:
			p.words("[")
			p.or(s.Index)
			p.words("]")
		}
	}
}
