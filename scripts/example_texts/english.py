"""The English twins of the travel rules and of the induction. Knows only words; amounts follow ``travel.py``."""

TRAVEL_POLICY_2025 = """
# Travel Expense Policy (2025 Edition)
@ Document AC-201, 9th edition, in force from 1 April 2025
> English translation for reference. If it differs from the Japanese text (出張旅費規程 2025年版), the Japanese text applies.

## Chapter 1 General

### Article 1 (Purpose)
This policy sets the amounts and the procedure for expenses of employees who travel on company business.

### Article 2 (What counts as a business trip)
A business trip is work at a place at least 80 km (one way) from the usual place of work. For shorter distances only the actual
transport cost is paid.

### Article 3 (Request)
Request approval in NagiFlow ("Business trip request") at least three business days before departure, and at least 15 business
days before departure for trips abroad. The paper form was abolished on 31 March 2025.

## Chapter 2 Trips within Japan

### Article 4 (Transport)
The company pays the actual cost of an economical, usual route. Shinkansen: reserved ordinary seats; Green Car is for officers only.
Flights may be used when they save at least two hours one way.

### Article 5 (Daily allowance)
Half of the amount is paid for a trip without an overnight stay.
| Grade | Daily allowance |
| General employees | JPY 2,500 |
| Section chiefs and section managers | JPY 3,000 |
| Department heads | JPY 3,500 |
| Officers | JPY 4,500 |

### Article 6 (Accommodation)
The actual cost is paid up to the following limits per night, breakfast included.
| Grade | Standard area | Tokyo 23 wards, Osaka, Kyoto, Fukuoka |
| General employees | JPY 12,000 | JPY 14,500 |
| Section chiefs and section managers | JPY 12,500 | JPY 15,000 |
| Department heads | JPY 14,000 | JPY 17,000 |
| Officers | JPY 18,000 | JPY 22,000 |
With the prior approval of the department head the limit rises to 1.3 times when no room can be found because of a conference or a
trade fair.

## Chapter 3 Trips abroad

### Article 8 (Daily allowance and accommodation abroad)
| Region | Daily allowance | Accommodation limit per night |
| Asia | JPY 6,000 | JPY 20,000 |
| North America and Europe | JPY 8,500 | JPY 32,000 |
| Other regions | JPY 7,000 | JPY 24,000 |

### Article 9 (Preparation allowance)
The preparation allowance was abolished on 1 April 2025. Instead, the cost of a passport is paid once every five years.

### Article 10 (Insurance)
The company's group insurance (medical treatment up to JPY 30,000,000) covers every trip abroad.

## Chapter 4 Settlement

### Article 11 (Advance payment)
An advance can be requested when the expected cost is more than JPY 100,000, at least five business days before departure.

### Article 12 (Deadline)
Settle the expenses in NagiFlow within five business days after your return. Attach images of the hotel receipts, the boarding
certificate and every transport receipt of JPY 3,000 or more.
"""

WELCOME_SLIDES = """
# Welcome to Shionagi Seiki
- Orientation for international employees
- Human Resources Section, April 2025

# Who we are
- Founded on 1 April 1978 in Yokohama; capital JPY 98 million
- 312 employees, 178 of them at the Shiomi Plant
- We make MX metering pumps and MC controllers
- About 40 percent of sales go abroad

# Working hours and pay
| Item | Rule |
| Head office | 8:45 to 17:30, lunch break 12:00 to 13:00 |
| Shiomi Plant, day shift | 8:00 to 16:45 |
| Flextime core hours | 10:00 to 15:00 (Development and Sales) |
| Pay day | 25th of the following month |
| Bonus | 20 June and 10 December |
| Probation | three months |

# Holidays and leave
- Ten days of annual paid leave after six months
- Apply in NagiFlow at least three business days before the day of leave
- Five business days or more in a row: two weeks before the first day
- Summer closure 2025: 9 to 17 August
- If you are ill, phone your manager before your working day begins

# Your residence status
- Show your residence card to Human Resources on your first day
- Report a change of address to the city office and to us within 14 days
- Tell us three months before your residence card expires; we pay the renewal fee of JPY 6,000

# Whom to ask
| Topic | Contact | Extension |
| Leave, pay, insurance | Human Resources, jinji@example.co.jp | 2110 |
| PC, account, VPN | Help desk, helpdesk@example.co.jp | 3300 |
| Expenses | Accounting, keiri@example.co.jp | 2240 |
| Safety | Safety office, anzen@example.co.jp | 2050 |
| Harassment, whistleblowing | Compliance Office, compliance@example.co.jp | 2900 |
"""
