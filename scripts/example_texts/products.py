"""products: warranty terms, the pump manual and the list of spare parts. Knows only words and figures."""

WARRANTY_TERMS = """
# Warranty Terms for MX Pumps and MC Controllers
@ Document PR-010, revision 6, valid from 1 April 2025
@ Shionagi Seiki Co., Ltd., Product Support

## 1. Warranty period
The warranty starts on the date of shipment from the Shiomi Plant, which is printed on the name plate.
| Product | Warranty period | Operating-hour limit |
| MX-2040B | 24 months | 6,000 hours |
| MX-2080B | 24 months | 5,000 hours |
| MX-2040A (discontinued) | 12 months | 4,000 hours |
| MC-310 controller | 36 months | none |
| Spare parts bought separately | 6 months | none |
The warranty ends when either the period or the operating-hour limit is reached, whichever comes first.

## 2. What is covered
We repair or replace, free of charge, any part that fails because of a defect in material or workmanship.
Repaired pumps are covered for the rest of the original period, but for at least three months after the repair.

## 3. What is not covered
- Wear parts: diaphragms, check valves, O-rings and tubing, unless they fail within the first 500 operating hours.
- Damage from running dry for more than ten minutes, from freezing, or from liquids outside the compatibility list.
- Pumps opened by anyone other than an authorised service partner, when the red seal on the gear box is broken.
- Damage caused by parts that we did not supply or that belong to another model.

## 4. How to make a claim
Send an e-mail to support@example.com within 30 days after you noticed the failure. Please state the model, the serial
number (for example 24B-10877), the operating hours shown in menu H-02 of the controller, the error code and photographs.
We answer within two working days and issue a return number of the form RMA-25-0000. Pumps sent back without a return number
are refused at the gate.

## 5. Shipping and decontamination
We pay for shipping in both directions when the claim is accepted; otherwise the customer pays an inspection fee of JPY 18,000 per
pump. Every returned pump must be rinsed and accompanied by the signed decontamination certificate (form QF-77).

## 6. Extension
The warranty of the MX-2040B and MX-2080B can be extended once by 12 months when the pump is registered within 60 days after
shipment and serviced once a year by an authorised partner. The extension costs 6 percent of the list price. The operating-hour limit
rises by 2,000 hours.

## 7. Spare parts supply
Spare parts are supplied for seven years after the end of production. Production of the MX-2040A ended on 31 March 2022, so
its spare parts are available until 31 March 2029.
"""

PUMP_MANUAL = """
# MX-2040B Metering Pump: Installation and Maintenance
@ Manual UM-2040B-E, edition 3.2, July 2025
> Keep this manual near the pump. Read chapter 1 before you open the pump head.

## 1. Safety
- Disconnect the power cable before opening any cover. The gear box stays hot for about 20 minutes.
- Relieve the pressure through the drain plug. The discharge line may hold up to 2.0 MPa.
- Wear protective glasses and gloves that resist the pumped liquid.
- Never run the pump against a closed valve. The relief valve RV-22 is not a substitute for a system safety valve.

## 2. Technical data
| Item | MX-2040B | MX-2080B |
| Flow rate | 0.4 to 40 mL/min | 0.8 to 80 mL/min |
| Maximum discharge pressure | 2.0 MPa | 1.2 MPa |
| Accuracy | within 1.0 percent | within 1.0 percent |
| Suction lift | 2.5 m of water | 2.0 m of water |
| Liquid temperature | 0 to 60 degrees C | 0 to 60 degrees C |
| Power supply | 100 to 240 V AC, 50/60 Hz | 100 to 240 V AC, 50/60 Hz |
| Power consumption | 65 W | 90 W |
| Protection class | IP65 | IP65 |
| Mass | 7.8 kg | 9.4 kg |
| Noise at 1 m | 58 dB(A) | 61 dB(A) |

## 3. Installation
### 3.1 Location
Install the pump indoors, on a level base, at 5 to 40 degrees C. Leave 150 mm free on both sides and 300 mm in front for service.
### 3.2 Piping
Use tubing of 6 mm outer diameter on both sides. Keep the suction line shorter than 3 m and fit the strainer ST-06 (100 mesh).
Fit a pulsation damper when the discharge line is longer than 10 m.
### 3.3 Electrical connection
Connect the protective earth first. The cable between the pump and the MC-310 controller (part MC-CBL-05, 5 m) may be extended to 20 m.

## 4. Start-up
- Open the suction and discharge valves, then open the air vent by one turn.
- Run the pump at 50 percent stroke until liquid without bubbles leaves the vent, normally within three minutes.
- Close the vent, set the flow rate on the controller, and note the discharge pressure.
- Check all joints for leaks after 30 minutes and tighten the head bolts to 6.5 N·m when the pump is cold.

## 5. Maintenance schedule
| Part | MX-2040B | MX-2080B | Kit |
| Diaphragm | every 4,000 hours | every 3,000 hours | DK-2040-02 / DK-2080-01 |
| Check valves (pair) | every 8,000 hours | every 6,000 hours | CV-2040-S / CV-2080-S |
| Gear oil, 120 mL | every 12,000 hours or 3 years | every 12,000 hours or 3 years | GO-150 |
| O-ring set | with every diaphragm | with every diaphragm | part of the diaphragm kit |
| Strainer | clean every 500 hours | clean every 500 hours | ST-06 / ST-08 |
| Calibration | once a year | once a year | none |
Change the parts after two years at the latest, even when the hours have not been reached. After every change of the diaphragm reset
the counter in menu H-05.

### 5.1 Changing the diaphragm
- Stop the pump, disconnect the power and relieve the pressure.
- Loosen the four head bolts crosswise with a 5 mm hexagon key and take off the head.
- Turn the old diaphragm anticlockwise by hand. Clean the seat with a lint-free cloth.
- Screw in the new diaphragm until it is finger-tight, with the printed side towards the liquid.
- Fit the new O-rings, put the head back and tighten the bolts crosswise to 6.5 N·m in two steps.
- Run the pump for 15 minutes without pressure and check the leak sensor (menu H-09 shows DRY).

## 6. Storage and disposal
Rinse the pump with clean water and drain it before storage. Pumps stored for more than 12 months need a new diaphragm before use.
The gear oil is special waste. In the European Union return the controller to an electronics collection point.

## 7. Contact
Product Support, Shionagi Seiki Co., Ltd.: support@example.com, telephone +81-45-000-0117, weekdays 9:00 to 17:00 Japan time.
Orders for spare parts: parts@example.com. The minimum order value is JPY 5,000.
"""

SPARE_PART_SHEETS: dict[str, list[list[str | int]]] = {
    "MX-2040B": [
        ["Part number", "Description", "Qty per pump", "List price (JPY)", "Lead time (working days)", "Replaces"],
        ["DK-2040-02", "Diaphragm kit, PTFE, with O-rings", 1, 14800, 3, ""],
        ["CV-2040-S", "Check valve pair, stainless steel 316", 1, 22400, 5, ""],
        ["CV-2040-P", "Check valve pair, PVDF", 1, 19600, 5, ""],
        ["GO-150", "Gear oil, 150 mL bottle", 1, 3200, 3, ""],
        ["ST-06", "Suction strainer, 100 mesh, 6 mm", 1, 4100, 3, ""],
        ["RV-22", "Relief valve, 2.2 MPa", 1, 16500, 10, ""],
        ["LS-09", "Leak sensor with cable", 1, 11200, 7, "LS-07"],
        ["HB-M6-4", "Head bolt set, M6, four pieces", 1, 1400, 3, ""],
    ],
    "MX-2080B": [
        ["Part number", "Description", "Qty per pump", "List price (JPY)", "Lead time (working days)", "Replaces"],
        ["DK-2080-01", "Diaphragm kit, PTFE, with O-rings", 1, 18200, 3, ""],
        ["CV-2080-S", "Check valve pair, stainless steel 316", 1, 26800, 5, ""],
        ["GO-150", "Gear oil, 150 mL bottle", 1, 3200, 3, ""],
        ["ST-08", "Suction strainer, 100 mesh, 8 mm", 1, 4700, 3, ""],
        ["RV-14", "Relief valve, 1.4 MPa", 1, 16500, 10, ""],
        ["LS-09", "Leak sensor with cable", 1, 11200, 7, "LS-07"],
    ],
    "MX-2040A (discontinued)": [
        [
            "Part number",
            "Description",
            "Qty per pump",
            "List price (JPY)",
            "Lead time (working days)",
            "Available until",
        ],
        ["DK-2040-01", "Diaphragm kit, EPDM, with O-rings", 1, 12600, 15, "2029-03-31"],
        ["CV-2040-A", "Check valve pair, PVC", 1, 17900, 15, "2029-03-31"],
        ["GO-150", "Gear oil, 150 mL bottle", 1, 3200, 3, "in production"],
        ["PCB-40A", "Main board", 1, 48000, 20, "while stocks last"],
    ],
    "MC-310": [
        ["Part number", "Description", "Qty per unit", "List price (JPY)", "Lead time (working days)", "Replaces"],
        ["MC-CBL-05", "Pump cable, 5 m", 1, 6800, 3, ""],
        ["MC-CBL-20", "Pump cable, 20 m", 1, 14900, 7, ""],
        ["MC-BAT-1", "Clock battery, CR2032", 1, 300, 3, ""],
        ["MC-DSP-3", "Display unit", 1, 31500, 10, "MC-DSP-2"],
        ["MC-IF-485", "RS-485 interface board", 1, 27000, 10, ""],
    ],
}
