// Package sample makes contacts up, the same ones for the same seed.
package sample

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// Contacts is a source of made-up contacts, for book.Import.
type Contacts struct {
	random *rand.Rand
	seed   uint64
	made   int
	count  int
}

// New returns a source of count contacts that depend on seed only.
func New(count int, seed uint64) *Contacts {
	return &Contacts{random: rand.New(rand.NewPCG(seed, 0)), seed: seed, count: count}
}

// Next returns the next contact, or io.EOF.
func (s *Contacts) Next() (contact.Contact, error) {
	if s.made == s.count {
		return contact.Contact{}, io.EOF
	}
	s.made++
	first, last := s.pick(firstNames), s.lastName()
	c := contact.Contact{Name: first + " " + last}
	if s.random.IntN(12) == 0 {
		c.Name = first + " " + s.pick(firstNames) + " " + last
	}
	if s.random.IntN(3) == 0 {
		c.Company = s.lastName() + " " + s.pick(trades)
	}
	// 555-01xx and the German and British ranges for films: nobody's numbers.
	labels := []string{"mobile", "home", "work"}
	for i := range 1 + s.random.IntN(2) {
		c.Numbers = append(c.Numbers, contact.Number{Label: labels[(i+s.random.IntN(2))%3], Number: s.number()})
	}
	if s.random.IntN(2) == 0 {
		c.Email = fmt.Sprintf("%s.%s@example.org", plain(first), plain(last))
	}
	for range s.random.IntN(3) {
		c.Tags = append(c.Tags, s.pick(tags))
	}
	c.ID = contact.DerivedID(fmt.Sprintf("sample %d %d", s.seed, s.made), c)
	return c.Clean()
}

func (s *Contacts) pick(from []string) string { return from[s.random.IntN(len(from))] }

// lastName puts names together, so that a large book is not full of a hundred names.
func (s *Contacts) lastName() string { return s.pick(lastStarts) + s.pick(lastEnds) }

func (s *Contacts) number() string {
	switch s.random.IntN(3) {
	case 0:
		return fmt.Sprintf("+1 %d 555 %04d", 200+s.random.IntN(790), s.random.IntN(10000))
	case 1:
		return fmt.Sprintf("+49 %d 23125 %03d", 30+s.random.IntN(60), s.random.IntN(1000))
	}
	return fmt.Sprintf("+44 20 7946 %04d", s.random.IntN(10000))
}

func plain(name string) string { return strings.ReplaceAll(contact.Fold(name), " ", ".") }

var (
	firstNames = words(`Ada Adam Aisha Alan Alice Amélie Ana Anders Anna Anton Aya Barbara Ben Björn Carla Carlos
		Chen Chloé Clara Daniel David Dmitri Edsger Elena Élise Emma Erik Fatima Felix Finn Frances Frida Grace
		Hana Hannah Hugo Ida Igor Ines Ivan Jana Jean João José Julia Karl Kofi Lars Lea Leslie Lina Luca Łukasz
		Maja Margaret Maria Mateo Mia Mila Mohamed Nadia Niklaus Nina Noah Nora Olga Oskar Paul Petra Priya Rana
		Robin Rosa Samuel Sara Sofia Søren Tim Tomás Ursula Vera Viktor Wei Yara Yuki Zoë`)
	lastStarts = words(`Acker Ahl Alm Berg Birk Blom Brand Brook Buch Burg Dahl Dorn Eich Ek Ell Fal Feld Fisch Gold
		Grön Grün Haas Hag Hart Hell Hof Holm Kirch König Kron Lang Lind Löw Lund Mar Mayer Mühl Neu Nord Nyl Oest
		Ost Reh Ring Rosen Roth Sand Schön Sil Sommer Stein Storm Strand Süd Thal Vogel Wald Weber West Wind Winter`)
	lastEnds = words(`a bach beck berg by bauer dal er feldt ford gren haus heim hoff holm inger lein ley lund man
		mann mark meier ner ová quist rup sen ski son stad stedt stein ström thal ton vik wood worth`)
	trades = words("Analytics Bakery Books Brewery Coffee Design Engines Films Gardens GmbH Insurance Labs Law Ltd Music Travel Works")
	tags   = words("family friends work climbing choir school neighbours doctor football plumber clients suppliers")
)

func words(text string) []string { return strings.Fields(text) }
