"""Settings: JSON in shown units both ways, and what a refused value is told."""

from __future__ import annotations

import json
import math

import pytest

from MyoPINNLib.errors import InputError
from MyoPINNLib.settings import (
    AHASettings,
    Conversion,
    Delay,
    FitSettings,
    Method,
    Settings,
    SignalSettings,
    settings_from_json,
)


@pytest.fixture
def the_settings() -> Settings:
    return Settings(
        signal=SignalSettings(Conversion.LINEAR, TS=0.11, TR=0.0021, flip_angle=math.radians(12), pulses=32),
        fit=FitSettings(Method.FERMI, Delay.FIXED, T_a=0.7),
        aha=AHASettings(17, ((1.0, -2.5, 3.0),), ("basal", "mid", "apical")),
        hct=0.42,
    )


def test_settings_survive_json(the_settings):
    back = settings_from_json(json.loads(json.dumps(the_settings.to_json())))
    assert back.signal.flip_angle == pytest.approx(the_settings.signal.flip_angle, rel=1e-11)
    assert back.to_json() == the_settings.to_json()
    assert settings_from_json(Settings().to_json()) == Settings()


def test_json_has_shown_units_with_the_unit_in_the_key(the_settings):
    values = the_settings.to_json()
    assert (values["signal"]["TS_ms"], values["signal"]["flip_angle_deg"]) == (110.0, 12.0)
    assert values["fit"]["F_p_range_mL_min_mL"] == [0.0006, 15.0]


def test_what_is_left_out_takes_its_default():
    settings = settings_from_json({"fit": {"method": "fermi"}})
    assert settings.fit.method is Method.FERMI
    assert settings.signal == SignalSettings()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "must be an object"),
        ({"signal": 3}, "must be an object"),
        ({"colour": 1}, "is not known. Known are: signal, fit, aha, hct, density_g_mL"),
        ({"signal": {"TS": 0.12}}, "'TS', which is not known"),
        ({"signal": {"TS_ms": 0.12}}, "milliseconds"),
        ({"signal": {"TS_ms": "120"}}, "must be a number in ms"),
        ({"signal": {"pulses": 2.5}}, "must be a whole number"),
        ({"signal": {"flip_angle_deg": 120}}, "degrees"),
        ({"fit": {"method": "pinnn"}}, "Choose one of: nlls, fermi"),
        ({"fit": {"method": ["nlls"]}}, "Choose one of"),
        ({"fit": {"F_p_range_mL_min_mL": [3, 1]}}, "the lower limit comes first"),
        ({"fit": {"v_p_range": [0.1]}}, "has 1 values; it must have 2"),
        ({"fit": {"chunk": 0}}, "must lie from 1"),
        ({"fit": {"method": "nlls", "spatial": "neighbours"}}, "nlls cannot couple neighbours"),
        ({"fit": {"method": "map", "spatial": "all"}}, "Choose one of: none, neighbours"),
        ({"aha": {"segments": 18}}, "16 or 17"),
        ({"aha": {"segments": True}}, "16 or 17"),
        ({"aha": {"insertion_lps_mm": [[1, 2]]}}, "has 2 values; it must have 3"),
        ({"aha": {"levels": "mid"}}, "must be a list"),
        ({"aha": {"levels": ["top"]}}, "Choose one of: basal"),
        ({"hct": 45}, "0.45 for 45 %"),
        ({"hct": True}, "must be a number"),
        ({"density_g_mL": math.nan}, "must be a number"),
        ({"hct": 10**400}, "must"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(values, words):
    with pytest.raises(InputError) as refused:
        settings_from_json(values)
    assert words in str(refused.value)


def test_code_is_held_to_the_same_limits():
    with pytest.raises(InputError, match="hct"):
        Settings(hct=45)
    with pytest.raises(InputError, match="TS_ms"):
        SignalSettings(TS=120)
    assert FitSettings(method="fermi").method is Method.FERMI


def test_the_digest_names_the_settings(the_settings):
    assert Settings().digest() == Settings().digest() != the_settings.digest()
